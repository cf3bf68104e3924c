package clip

import (
	"fmt"
	"image"
	"math"
)

// Box is the part of a picture of the given size that is cut; the picture must
// be large enough.
func (c CenterCrop) Box(size image.Point) image.Rectangle {
	x, y := (size.X-c.Size)/2, (size.Y-c.Size)/2
	if c.Round {
		x, y = roundEven(float64(size.X-c.Size)/2), roundEven(float64(size.Y-c.Size)/2)
	}
	return square(x, y, c.Size)
}

func (c CenterCrop) name() string                   { return "center_crop" }
func (c CenterCrop) validate() error                { return checkSide("size", c.Size) }
func (c CenterCrop) predict(k known) (known, error) { return k.crop(c.name(), c.Size) }
func (c CenterCrop) apply(views []view, _ env) ([]view, error) {
	out := make([]view, len(views))
	for i, v := range views {
		if err := checkFits(c.name(), v.size(), c.Size); err != nil {
			return nil, err
		}
		out[i] = v.cut(c.Box(v.size()))
	}
	return out, nil
}

// Boxes are the parts of a picture of the given size that are cut: top left,
// top right, bottom left, bottom right, centre. The picture must be large
// enough. Steps are whole quarters of the room left, so the right and the lower
// boxes can end up to 3 pixels before the border.
func (c TenCrop) Boxes(size image.Point) [5]image.Rectangle {
	dx, dy := (size.X-c.Size)/4, (size.Y-c.Size)/4
	return [5]image.Rectangle{
		square(0, 0, c.Size),
		square(4*dx, 0, c.Size),
		square(0, 4*dy, c.Size),
		square(4*dx, 4*dy, c.Size),
		square(2*dx, 2*dy, c.Size),
	}
}

func (c TenCrop) name() string    { return "ten_crop" }
func (c TenCrop) validate() error { return checkSide("size", c.Size) }

func (c TenCrop) predict(k known) (known, error) {
	k.views *= 10
	return k.crop(c.name(), c.Size)
}

func (c TenCrop) apply(views []view, _ env) ([]view, error) {
	t := len(views)
	out := make([]view, 10*t)
	for i, v := range views {
		if err := checkFits(c.name(), v.size(), c.Size); err != nil {
			return nil, err
		}
		for corner, box := range c.Boxes(v.size()) {
			cut := v.cut(box)
			out[2*corner*t+i] = cut
			out[(2*corner+1)*t+i] = cut.flip()
		}
	}
	return out, nil
}

func (f RandomFlip) name() string                   { return "random_flip" }
func (f RandomFlip) predict(k known) (known, error) { return k, nil }

func (f RandomFlip) validate() error {
	if !(f.Probability >= 0 && f.Probability <= 1) {
		return fmt.Errorf("probability %v: want 0 to 1", f.Probability)
	}
	return nil
}

func (f RandomFlip) apply(views []view, e env) ([]view, error) {
	if e.rng.Float64() >= f.Probability {
		return views, nil
	}
	out := make([]view, len(views))
	for i, v := range views {
		out[i] = v.flip()
	}
	return out, nil
}

func checkFits(step string, have image.Point, size int) error {
	if have.X >= size && have.Y >= size {
		return nil
	}
	return fmt.Errorf("%s: a picture of %s is smaller than the crop of %dx%d: put a scale step with short_side %d or more before it",
		step, pixels(have), size, size, size)
}

func square(x, y, size int) image.Rectangle { return image.Rect(x, y, x+size, y+size) }

// roundEven is Python's round: halves go to the even neighbour.
func roundEven(v float64) int { return int(math.RoundToEven(v)) }
