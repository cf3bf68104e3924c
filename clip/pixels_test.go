package clip_test

import (
	"slices"
	"testing"

	"github.com/pptsn/pptsn/clip"
)

// Pixels, normalised by the formula that Normalize documents, are Views: for
// crops at all places and mirrored ones, a few at a time, on one goroutine or
// several.
func TestPixelsAreViews(t *testing.T) {
	const w, h, side = 45, 38, 31
	norm := clip.Normalize{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}
	for _, workers := range []int{1, 3} {
		spec := clip.Spec{Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 4}, Steps: []clip.Step{
			{TenCrop: &clip.TenCrop{Size: side}}, {Normalize: &norm},
		}}
		c, err := clip.Load(t.Context(), newReel(9, w, h), spec, clip.Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if c.Normalization() != norm {
			t.Errorf("normalization is %v, want %v", c.Normalization(), norm)
		}
		for _, part := range [][2]int{{0, c.Len()}, {3, 11}, {39, 40}, {7, 7}} {
			pixels, views := c.Pixels(nil, part[0], part[1]), c.Views(nil, part[0], part[1])
			if got := normalised(pixels, side*side, norm); !slices.Equal(got, views) {
				t.Errorf("%d workers: pixels of views %d to %d are others than Views", workers, part[0], part[1])
			}
		}
	}
}

// normalised turns bytes [V, area, 3] into [V, 3, area].
func normalised(pixels []byte, area int, n clip.Normalize) []float32 {
	out := make([]float32, len(pixels))
	for i, p := range pixels {
		v, at, c := i/(3*area), i/3%area, i%3
		out[(3*v+c)*area+at] = (float32(p)/255 - n.Mean[c]) / n.Std[c]
	}
	return out
}

func TestPixelsUseTheSpaceGiven(t *testing.T) {
	spec := clip.Spec{Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 2}, Steps: []clip.Step{normalize}}
	c, err := clip.Load(t.Context(), newReel(2, 8, 6), spec, clip.Options{})
	if err != nil {
		t.Fatal(err)
	}
	space := make([]byte, 2*3*8*6+5)
	got := c.Pixels(space, 0, 2)
	if &got[0] != &space[0] || len(got) != 2*3*8*6 || !slices.Equal(space[len(got):], make([]byte, 5)) {
		t.Errorf("%d bytes, at the place given: %v, want %d and nothing behind them", len(got), &got[0] == &space[0], 2*3*8*6)
	}
}
