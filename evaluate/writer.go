package evaluate

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// A writer writes text in one size, in the Go font: Latin, Greek and Cyrillic.
type writer struct {
	font   *sfnt.Font
	face   font.Face
	ascent int // pixels above the line
	height int // pixels of a line
}

// newWriter takes the size in pixels.
func newWriter(size float64) (*writer, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, err
	}
	m := face.Metrics()
	return &writer{f, face, m.Ascent.Ceil(), m.Ascent.Ceil() + m.Descent.Ceil()}, nil
}

// has says whether the font has all letters.
func (w *writer) has(text string) bool {
	for _, r := range text {
		if i, err := w.font.GlyphIndex(nil, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}

func (w *writer) width(text string) int { return font.MeasureString(w.face, text).Ceil() }

// at writes with the upper left corner of the line at p.
func (w *writer) at(m draw.Image, p image.Point, text string, c color.Color) {
	d := font.Drawer{Dst: m, Src: image.NewUniform(c), Face: w.face, Dot: fixed.P(p.X, p.Y+w.ascent)}
	d.DrawString(text)
}

// leftOf writes up to p, which is half as high as the line.
func (w *writer) leftOf(m draw.Image, p image.Point, text string, c color.Color) {
	w.at(m, p.Sub(image.Pt(w.width(text), w.height/2)), text, c)
}

// centre writes into the middle of a box.
func (w *writer) centre(m draw.Image, box image.Rectangle, text string, c color.Color) {
	p := box.Min.Add(box.Max).Div(2)
	w.at(m, p.Sub(image.Pt(w.width(text)/2, w.height/2)), text, c)
}

// upFrom writes upwards, turned by a quarter to the left; p is where the text
// begins, in the middle of the line.
func (w *writer) upFrom(m draw.Image, p image.Point, text string, c color.Color) {
	flat := image.NewAlpha(image.Rect(0, 0, w.width(text), w.height))
	w.at(flat, image.Point{}, text, color.Opaque)
	turned := image.NewAlpha(image.Rect(0, 0, w.height, flat.Rect.Dx()))
	for y := range flat.Rect.Dy() {
		for x := range flat.Rect.Dx() {
			turned.SetAlpha(y, flat.Rect.Dx()-1-x, flat.AlphaAt(x, y))
		}
	}
	corner := p.Sub(image.Pt(w.height/2, turned.Rect.Dy()))
	draw.DrawMask(m, turned.Rect.Add(corner), image.NewUniform(c), image.Point{}, turned, image.Point{}, draw.Over)
}
