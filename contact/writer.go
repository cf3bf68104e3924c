package contact

import (
	"image"
	"image/color"
	"image/draw"
	"sort"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// A Writer writes lines in one size of a font. Letters that it lacks are boxes.
type Writer struct {
	Height int // pixels of a line, without a gap to the next

	font   *sfnt.Font
	face   font.Face
	ascent int // pixels above the line
}

// writers are those of a sheet, in the Go font: Latin, Greek and Cyrillic.
type writers struct{ title, heading, text, small *Writer }

func newWriters() (w writers, err error) {
	for _, f := range []struct {
		w    **Writer
		ttf  []byte
		size float64
	}{
		{&w.title, gobold.TTF, 22},
		{&w.heading, gobold.TTF, 15},
		{&w.text, goregular.TTF, 14},
		{&w.small, goregular.TTF, 12},
	} {
		if *f.w, err = NewWriter(f.ttf, f.size); err != nil {
			return w, err
		}
	}
	return w, nil
}

// NewWriter takes the bytes of a font (TrueType or OpenType) and its size in
// pixels.
func NewWriter(ttf []byte, size float64) (*Writer, error) {
	f, err := opentype.Parse(ttf)
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, err
	}
	m := face.Metrics()
	return &Writer{m.Ascent.Ceil() + m.Descent.Ceil(), f, face, m.Ascent.Ceil()}, nil
}

// Has says whether the font has all letters.
func (w *Writer) Has(text string) bool {
	for _, r := range text {
		if i, err := w.font.GlyphIndex(nil, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}

// Width of a text in pixels.
func (w *Writer) Width(text string) int { return font.MeasureString(w.face, text).Ceil() }

// At writes with the upper left corner of the line at p.
func (w *Writer) At(m draw.Image, p image.Point, text string, c color.Color) {
	d := font.Drawer{Dst: m, Src: image.NewUniform(c), Face: w.face, Dot: fixed.P(p.X, p.Y+w.ascent)}
	d.DrawString(text)
}

// fit cuts a text off at its end so that it is no wider.
func (w *Writer) fit(text string, width int) string {
	if w.Width(text) <= width {
		return text
	}
	letters := []rune(text)
	n := sort.Search(len(letters), func(n int) bool { return w.Width(string(letters[:n+1])+"…") > width })
	return string(letters[:n]) + "…"
}

// wrap breaks a text into lines at its spaces. A word that is too wide is left
// to fit.
func (w *Writer) wrap(text string, width int) (wrapped []string) {
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		longer := strings.TrimPrefix(line+" "+word, " ")
		if line != "" && w.Width(longer) > width {
			wrapped, longer = append(wrapped, line), word
		}
		line = longer
	}
	return append(wrapped, line)
}
