package clip

import (
	"fmt"
	"image"

	"github.com/pptsn/pptsn/frame"
)

const (
	maxSide   = 1 << 13 // pixels that a specification can ask for
	maxPixels = 1 << 25 // of one scaled picture: 100 MB
)

// Size is the size to which a picture of the given size is scaled. A picture
// whose shorter side already is ShortSide stays as it is, FixedRatio or not.
func (s Scale) Size(size image.Point) image.Point {
	short, long := size.X, size.Y
	if short > long {
		short, long = long, short
	}
	if short == s.ShortSide {
		return size
	}
	to := s.ShortSide
	switch {
	case s.FixedRatio:
		short, long = to, int(float64(to)*4/3)
	case s.Round:
		ratio := float64(to) / float64(short)
		short, long = roundHalfUp(short, ratio), roundHalfUp(long, ratio)
	default:
		short, long = to, int(float64(long*to)/float64(short))
	}
	if size.X <= size.Y {
		return image.Pt(short, long)
	}
	return image.Pt(long, short)
}

// roundHalfUp scales a side as int(side*ratio + 0.5) does in Python, without
// fused multiply-add.
func roundHalfUp(side int, ratio float64) int { return int(float64(float64(side)*ratio) + 0.5) }

func (s Scale) name() string { return "scale" }

func (s Scale) validate() error {
	if err := checkSide("short_side", s.ShortSide); err != nil {
		return err
	}
	return s.Backend.validate()
}

func (s Scale) predict(k known) (known, error) {
	k.short = s.ShortSide
	if k.size != (image.Point{}) {
		k.size = s.Size(k.size)
	}
	return k, nil
}

func (s Scale) apply(views []view, e env) ([]view, error) {
	for _, v := range views {
		if to := s.Size(v.size()); to.X > maxPixels/to.Y {
			return nil, fmt.Errorf("scale: a picture of %s would become %s, more than %d pixels", pixels(v.size()), pixels(to), maxPixels)
		}
	}
	return resize(views, e.workers, s.Backend, s.Size), nil
}

func (b Backend) validate() error {
	switch b {
	case OpenCV, Pillow:
		return nil
	}
	return fmt.Errorf("backend %q: want %s or %s", b, OpenCV, Pillow)
}

func (b Backend) resize(dst, src *frame.RGB) {
	if b == Pillow {
		frame.ResizePillow(dst, src)
		return
	}
	frame.ResizeOpenCV(dst, src)
}

func checkSide(key string, v int) error {
	if v < 1 || v > maxSide {
		return fmt.Errorf("%s %d: want 1 to %d pixels", key, v, maxSide)
	}
	return nil
}

// pixels formats a size as "340x256".
func pixels(p image.Point) string { return fmt.Sprintf("%dx%d", p.X, p.Y) }
