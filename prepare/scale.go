package prepare

import (
	"image"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
)

// A shrinker scales pictures down so that the shorter side is short pixels, as
// package clip does in training, into one picture that it uses again and again.
type shrinker struct {
	short int  // 0: no scaling
	even  bool // both sides become even
	out   *frame.RGB
}

// apply returns the scaled picture, valid until the next call, or img itself.
func (s *shrinker) apply(img *frame.RGB) *frame.RGB {
	to := s.size(image.Pt(img.W, img.H))
	if to == image.Pt(img.W, img.H) {
		return img
	}
	if s.out == nil || s.out.W != to.X || s.out.H != to.Y {
		s.out = frame.NewRGB(to.X, to.Y)
	}
	frame.ResizeOpenCV(s.out, img)
	return s.out
}

// size never enlarges, but for a side of a single pixel that must be even.
func (s *shrinker) size(p image.Point) image.Point {
	if s.short > 0 && min(p.X, p.Y) > s.short {
		p = clip.Scale{ShortSide: s.short}.Size(p)
	}
	if s.even {
		p = image.Pt(max(p.X&^1, 2), max(p.Y&^1, 2))
	}
	return p
}
