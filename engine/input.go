package engine

import (
	"fmt"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// An input is what a network takes of each clip: T views of H x W pixels, any
// number where it is graph.Unknown.
type input struct {
	views, h, w int
	perView     bool // the network takes single pictures
}

func newInput(g *graph.Graph) (input, error) {
	if len(g.Inputs) != 1 || len(g.Outputs) != 1 {
		return input{}, fmt.Errorf("engine: graph %s has %d inputs and %d outputs: a classifier has one of each", g.Name, len(g.Inputs), len(g.Outputs))
	}
	switch x := g.Inputs[0].Shape; len(x) {
	case 5:
		return input{views: x[1], h: x[3], w: x[4]}, nil
	case 4:
		return input{views: graph.Unknown, h: x[2], w: x[3], perView: true}, nil
	default:
		return input{}, fmt.Errorf("engine: graph %s takes %s: want pictures [N, 3, H, W] or clips [N, T, 3, H, W]", g.Name, tensor.ShapeString(x))
	}
}

// A batch is clips of equal shape as one input of the network.
type batch struct {
	clips []*clip.Clip
	views int // of each clip
	h, w  int
	shape []int // of the input
}

// batch puts clips together.
func (in input) batch(clips []*clip.Clip) (batch, error) {
	if len(clips) == 0 {
		return batch{}, fmt.Errorf("engine: no clips")
	}
	b := batch{clips: clips, views: clips[0].Len()}
	b.h, b.w = clips[0].Size()
	if !fits(in.views, b.views) || !fits(in.h, b.h) || !fits(in.w, b.w) {
		return b, fmt.Errorf("engine: a clip of %d views of %dx%d pixels for a network of %d views of %dx%d", b.views, b.w, b.h, in.views, in.w, in.h)
	}
	for _, c := range clips[1:] {
		if h, w := c.Size(); c.Len() != b.views || h != b.h || w != b.w {
			return b, fmt.Errorf("engine: a clip of %d views of %dx%d pixels beside one of %d views of %dx%d", c.Len(), w, h, b.views, b.w, b.h)
		}
	}
	b.shape = []int{len(clips), b.views, 3, b.h, b.w}
	if in.perView {
		b.shape = []int{b.rows(), 3, b.h, b.w}
	}
	return b, nil
}

func fits(want, got int) bool { return want == graph.Unknown || want == got }

// rows is the number of views of all clips.
func (b batch) rows() int { return len(b.clips) * b.views }

// fill writes views from to to, exclusive, counted over all clips, normalised.
func (b batch) fill(dst []float32, from, to int) {
	size := 3 * b.h * b.w
	for from < to {
		c, first := b.clips[from/b.views], from%b.views
		n := min(to-from, b.views-first)
		c.Views(dst, first, first+n)
		dst, from = dst[n*size:], from+n
	}
}

// scores are the rows of the network's output, one for each clip: where it
// gives one for each view their mean.
func (b batch) scores(out *tensor.Dense) [][]float32 {
	v := out.Float32s()
	k := out.Shape[len(out.Shape)-1]
	per := len(v) / k / len(b.clips)
	scores := make([][]float32, len(b.clips))
	for i := range scores {
		scores[i] = meanOfRows(v[i*per*k:(i+1)*per*k], k)
	}
	return scores
}

// meanOfRows averages [R, k] over R.
func meanOfRows(v []float32, k int) []float32 {
	n := len(v) / k
	mean := make([]float32, k)
	for i := range mean {
		sum := 0.0
		for row := range n {
			sum += float64(v[row*k+i])
		}
		mean[i] = float32(sum / float64(n))
	}
	return mean
}
