package window

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font/gofont/gobold"

	"github.com/pptsn/pptsn/contact"
	"github.com/pptsn/pptsn/frame"
)

// A sign is a caption as pixels: white on black, for the upper left corner. It is
// drawn once for all pictures that carry it.
type sign struct{ m *image.RGBA }

// smallestLetter is the least size of letters in pixels that can be read.
const smallestLetter = 8

// newSign makes one for pictures of the given size. Its letters are a sixteenth
// of the shorter side, smaller if the text is too wide.
func newSign(text string, width, height int) (*sign, error) {
	size := max(smallestLetter, float64(min(width, height))/16)
	w, err := contact.NewWriter(gobold.TTF, size)
	if err != nil {
		return nil, err
	}
	if wide := w.Width(text) + 2*gap(size); wide > width && size > smallestLetter {
		size = max(smallestLetter, size*float64(width)/float64(wide)-1)
		if w, err = contact.NewWriter(gobold.TTF, size); err != nil {
			return nil, err
		}
	}
	g := gap(size)
	m := image.NewRGBA(image.Rect(0, 0, w.Width(text)+2*g, w.Height+g))
	draw.Draw(m, m.Rect, image.NewUniform(color.Black), image.Point{}, draw.Src)
	w.At(m, image.Pt(g, g/2), text, color.White)
	return &sign{m}, nil
}

func gap(size float64) int { return int(size / 2) }

// draw puts the sign into a picture; what is outside is cut off.
func (s *sign) draw(img *frame.RGB) {
	size := s.m.Rect.Size()
	for y := range min(size.Y, img.H) {
		from, to := s.m.Pix[y*s.m.Stride:], img.Pix[3*y*img.W:]
		for x := range min(size.X, img.W) {
			copy(to[3*x:3*x+3], from[4*x:4*x+3])
		}
	}
}
