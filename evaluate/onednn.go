package evaluate

import (
	"context"
	"fmt"
	"io"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tsn"
)

// OnOneDNN readies a network for the CPU: batch norms folded into the
// convolutions, views normalised and computed a few at a time, so that 250 views
// of a clip need little more memory than 4. threads as in onednn.Options. The
// weights must not change before the returned Closer is closed.
func OnOneDNN(net *tsn.Network, w graph.Weights, threads int) (Forward, io.Closer, error) {
	engine, err := onednn.Compile(net.Graph, w, onednn.Options{Threads: threads})
	if err != nil {
		return nil, nil, err
	}
	in := inputOf(net)
	views, h, width := in.views, in.h, in.w
	forward := func(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
		for _, c := range clips {
			if err := in.check(c); err != nil {
				return nil, err
			}
		}
		size := 3 * h * width
		shape := []int{len(clips), views, 3, h, width}
		out, err := engine.RunRows(ctx, shape, func(dst []float32, from, to int) error {
			for from < to { // views are counted over all clips
				c, first := clips[from/views], from%views
				n := min(to-from, views-first)
				c.Views(dst, first, first+n)
				dst, from = dst[n*size:], from+n
			}
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
		return rows(out[0].Float32s(), len(clips)), nil
	}
	return forward, engine, nil
}

// An input is what a network takes of each clip: T views of H x W pixels.
type input struct{ views, h, w int }

func inputOf(net *tsn.Network) input {
	shape := net.Graph.Inputs[0].Shape // [N, T, 3, H, W]
	return input{shape[1], shape[3], shape[4]}
}

func (in input) check(c *clip.Clip) error {
	if h, w := c.Size(); c.Len() != in.views || h != in.h || w != in.w {
		return fmt.Errorf("evaluate: a clip of %d views of %dx%d pixels for a network of %d views of %dx%d", c.Len(), w, h, in.views, in.w, in.h)
	}
	return nil
}

// rows cuts [n*K] into n times [K].
func rows(v []float32, n int) [][]float32 {
	k := len(v) / n
	out := make([][]float32, n)
	for i := range out {
		out[i] = v[i*k : (i+1)*k : (i+1)*k]
	}
	return out
}
