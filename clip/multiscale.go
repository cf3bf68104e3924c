package clip

import (
	"errors"
	"fmt"
	"image"
)

// Sizes are the sizes of the boxes that can be cut from a picture of the given
// size, in the reference's order, with repetitions; each is as likely. Their
// number does not depend on the picture.
func (c MultiScaleCrop) Sizes(size image.Point) []image.Point {
	sides := make([]int, len(c.Scales))
	for i, s := range c.Scales {
		sides[i] = int(float64(min(size.X, size.Y)) * s)
		if d := sides[i] - c.Size; -3 < d && d < 3 {
			sides[i] = c.Size // so close that it need not be resized
		}
	}
	var out []image.Point
	for i, h := range sides {
		for j, w := range sides {
			if max(i-j, j-i) <= c.MaxDistort {
				out = append(out, image.Pt(w, h))
			}
		}
	}
	return out
}

// Boxes are the fixed positions of a box of size crop in a picture of the given
// size, in the reference's order, with repetitions; each is as likely.
//
// Positions are quarters of the room left, and fractional; each edge is rounded
// to even on its own, so that a box can be a pixel wider or narrower than crop.
func (c MultiScaleCrop) Boxes(size, crop image.Point) []image.Rectangle {
	dx, dy := float64(size.X-crop.X)/4, float64(size.Y-crop.Y)/4
	quarters := []image.Point{{0, 0}}
	add := func(distinct bool, x, y int) {
		if c.AllowDuplication || distinct {
			quarters = append(quarters, image.Pt(x, y))
		}
	}
	add(dx != 0, 4, 0)
	add(dy != 0, 0, 4)
	add(dx != 0 && dy != 0, 4, 4)
	add(dx != 0 || dy != 0, 2, 2)
	if c.MorePositions { // never checked for duplicates
		quarters = append(quarters, []image.Point{{0, 2}, {4, 2}, {2, 4}, {2, 0}, {1, 1}, {3, 1}, {1, 3}, {3, 3}}...)
	}
	out := make([]image.Rectangle, len(quarters))
	for i, q := range quarters {
		x, y := float64(q.X)*dx, float64(q.Y)*dy // exact: multiples of 1/4
		out[i] = image.Rect(roundEven(x), roundEven(y), roundEven(x+float64(crop.X)), roundEven(y+float64(crop.Y)))
	}
	return out
}

// A draw is what is random about one clip's crop, as shares in [0, 1) of the
// possibilities, so that it means the same for pictures of different size.
type draw struct{ size, x, y float64 }

// box returns the part of a picture that a draw chooses.
func (c MultiScaleCrop) box(size image.Point, d draw) image.Rectangle {
	crop := pick(c.Sizes(size), d.size)
	if c.FixedPositions {
		return pick(c.Boxes(size, crop), d.x)
	}
	x := int(d.x * float64(size.X-crop.X+1))
	y := int(d.y * float64(size.Y-crop.Y+1))
	return image.Rectangle{Max: crop}.Add(image.Pt(x, y))
}

func pick[T any](s []T, share float64) T { return s[int(share*float64(len(s)))] }

// fits reports a picture that a box might not fit in: one so small that a box
// is empty, or is one or two pixels larger because it is close to Size.
func (c MultiScaleCrop) fits(size image.Point) error {
	for _, s := range c.Sizes(size) {
		if s.X > size.X || s.Y > size.Y || s.X < 1 || s.Y < 1 {
			return fmt.Errorf("%s: a box of %s does not fit in a picture of %s: put a scale step with short_side %d or more before it",
				c.name(), pixels(s), pixels(size), c.Size)
		}
	}
	return nil
}

func (c MultiScaleCrop) name() string { return "multi_scale_crop" }

func (c MultiScaleCrop) validate() error {
	if err := checkSide("size", c.Size); err != nil {
		return err
	}
	if len(c.Scales) == 0 || len(c.Scales) > 64 {
		return fmt.Errorf("%d scales: want 1 to 64", len(c.Scales))
	}
	for _, s := range c.Scales {
		if !(s > 0 && s <= 1) {
			return fmt.Errorf("scale %v: want more than 0, at most 1", s)
		}
	}
	if c.MaxDistort < 0 {
		return errors.New("max_distort is negative")
	}
	return c.Backend.validate()
}

func (c MultiScaleCrop) predict(k known) (known, error) {
	if k.short > 0 {
		if err := c.fits(image.Pt(k.short, k.short)); err != nil {
			return k, err
		}
	}
	k.size, k.short = image.Pt(c.Size, c.Size), c.Size
	return k, nil
}

func (c MultiScaleCrop) apply(views []view, e env) ([]view, error) {
	d := draw{e.rng.Float64(), e.rng.Float64(), e.rng.Float64()}
	out := make([]view, len(views))
	for i, v := range views {
		if err := c.fits(v.size()); err != nil {
			return nil, err
		}
		out[i] = v.cut(c.box(v.size(), d))
	}
	square := image.Pt(c.Size, c.Size)
	return resize(out, e.workers, c.Backend, func(image.Point) image.Point { return square }), nil
}
