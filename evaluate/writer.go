package evaluate

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font/gofont/goregular"

	"github.com/pptsn/pptsn/contact"
)

// A writer writes what stands beside a matrix and in it.
type writer struct{ *contact.Writer }

// newWriter takes the size in pixels, of the Go font: Latin, Greek and Cyrillic.
func newWriter(size float64) (*writer, error) {
	w, err := contact.NewWriter(goregular.TTF, size)
	return &writer{w}, err
}

// leftOf writes up to p, which is half as high as the line.
func (w *writer) leftOf(m draw.Image, p image.Point, text string, c color.Color) {
	w.At(m, p.Sub(image.Pt(w.Width(text), w.Height/2)), text, c)
}

// centre writes into the middle of a box.
func (w *writer) centre(m draw.Image, box image.Rectangle, text string, c color.Color) {
	p := box.Min.Add(box.Max).Div(2)
	w.At(m, p.Sub(image.Pt(w.Width(text)/2, w.Height/2)), text, c)
}

// upFrom writes upwards, turned by a quarter to the left; p is where the text
// begins, in the middle of the line.
func (w *writer) upFrom(m draw.Image, p image.Point, text string, c color.Color) {
	flat := image.NewAlpha(image.Rect(0, 0, w.Width(text), w.Height))
	w.At(flat, image.Point{}, text, color.Opaque)
	turned := image.NewAlpha(image.Rect(0, 0, w.Height, flat.Rect.Dx()))
	for y := range flat.Rect.Dy() {
		for x := range flat.Rect.Dx() {
			turned.SetAlpha(y, flat.Rect.Dx()-1-x, flat.AlphaAt(x, y))
		}
	}
	corner := p.Sub(image.Pt(w.Height/2, turned.Rect.Dy()))
	draw.DrawMask(m, turned.Rect.Add(corner), image.NewUniform(c), image.Point{}, turned, image.Point{}, draw.Over)
}
