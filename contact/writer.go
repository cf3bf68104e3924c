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
	"golang.org/x/image/math/fixed"
)

// A writer writes lines in one size of the Go font: Latin, Greek and Cyrillic.
// Other letters are boxes.
type writer struct {
	face   font.Face
	ascent int // pixels above the line
	height int // pixels of a line
}

// writers are those of a sheet.
type writers struct{ title, heading, text, small *writer }

func newWriters() (w writers, err error) {
	for _, f := range []struct {
		w    **writer
		ttf  []byte
		size float64
	}{
		{&w.title, gobold.TTF, 22},
		{&w.heading, gobold.TTF, 15},
		{&w.text, goregular.TTF, 14},
		{&w.small, goregular.TTF, 12},
	} {
		if *f.w, err = newWriter(f.ttf, f.size); err != nil {
			return w, err
		}
	}
	return w, nil
}

// newWriter takes the size in pixels.
func newWriter(ttf []byte, size float64) (*writer, error) {
	f, err := opentype.Parse(ttf)
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, err
	}
	m := face.Metrics()
	return &writer{face, m.Ascent.Ceil(), m.Ascent.Ceil() + m.Descent.Ceil() + 1}, nil
}

func (w *writer) width(text string) int { return font.MeasureString(w.face, text).Ceil() }

// at writes with the upper left corner of the line at p.
func (w *writer) at(m draw.Image, p image.Point, text string, c color.Color) {
	d := font.Drawer{Dst: m, Src: image.NewUniform(c), Face: w.face, Dot: fixed.P(p.X, p.Y+w.ascent)}
	d.DrawString(text)
}

// fit cuts a text off at its end so that it is no wider.
func (w *writer) fit(text string, width int) string {
	if w.width(text) <= width {
		return text
	}
	letters := []rune(text)
	n := sort.Search(len(letters), func(n int) bool { return w.width(string(letters[:n+1])+"…") > width })
	return string(letters[:n]) + "…"
}

// wrap breaks a text into lines at its spaces. A word that is too wide is left
// to fit.
func (w *writer) wrap(text string, width int) (wrapped []string) {
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		longer := strings.TrimPrefix(line+" "+word, " ")
		if line != "" && w.width(longer) > width {
			wrapped, longer = append(wrapped, line), word
		}
		line = longer
	}
	return append(wrapped, line)
}
