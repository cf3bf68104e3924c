package contact

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
)

// MaxPixels is the largest PNG that is drawn: programs that show pictures have
// trouble with larger ones.
const MaxPixels = 1 << 26

// ErrTooLarge reports a sheet of more than MaxPixels.
var ErrTooLarge = errors.New("contact: too many pictures for one PNG")

var (
	paper = color.RGBA{255, 255, 255, 255}
	ink   = color.RGBA{33, 37, 41, 255}
	quiet = color.RGBA{92, 99, 106, 255}
	rule  = color.RGBA{222, 226, 230, 255}
	empty = color.RGBA{241, 243, 245, 255}
	alert = color.RGBA{179, 21, 29, 255}
)

// PNG writes the sheet as a picture. The pictures in it keep each pixel. A sheet
// that would be too large is ErrTooLarge, with its size.
func (s *Sheet) PNG(w io.Writer) error {
	l, err := s.layOut()
	if err != nil {
		return err
	}
	if l.size.X*l.size.Y > MaxPixels {
		return fmt.Errorf("%w: %d x %d pixels", ErrTooLarge, l.size.X, l.size.Y)
	}
	m := image.NewRGBA(image.Rectangle{Max: l.size})
	draw.Draw(m, m.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	for _, b := range l.boxes {
		b.draw(m)
	}
	return png.Encode(w, m)
}

func (b box) draw(m draw.Image) {
	fill := func(r image.Rectangle, c color.Color) {
		draw.Draw(m, r, image.NewUniform(c), image.Point{}, draw.Src)
	}
	switch {
	case b.writer != nil:
		b.writer.At(m, b.Min, b.text, b.color)
	case b.picture != nil:
		draw.Draw(m, b.Rectangle, rgba(b.picture), image.Point{}, draw.Src)
	default:
		fill(b.Rectangle, b.color)
	}
}
