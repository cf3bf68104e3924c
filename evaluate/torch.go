package evaluate

import (
	"context"
	"fmt"
	"io"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// OnTorch readies a network for a session's device: what a GPU that trains
// validates with. All clips of a batch are computed at once.
func OnTorch(ctx context.Context, session *torch.Session, net *tsn.Network, w graph.Weights) (Forward, io.Closer, error) {
	g, w, err := graph.Optimize(net.Graph, w)
	if err != nil {
		return nil, nil, fmt.Errorf("evaluate: %w", err)
	}
	network, err := torch.NewNetwork(ctx, session, g, w, torch.NetworkOptions{})
	if err != nil {
		return nil, nil, err
	}
	size := inputOf(net)
	forward := func(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
		x := tensor.New(tensor.Float32, len(clips), size.views, 3, size.h, size.w)
		for i, c := range clips {
			if err := size.check(c); err != nil {
				return nil, err
			}
			n := size.views * 3 * size.h * size.w
			c.Views(x.Float32s()[i*n:(i+1)*n], 0, size.views)
		}
		var scores []float32
		err := session.Do(ctx, func(s *torch.Scope) error {
			scores = s.Float32s(network.Forward(s, torch.Pass{}, s.From(x))[0])
			return nil
		})
		if err != nil {
			return nil, err
		}
		return rows(scores, len(clips)), nil
	}
	return forward, network, nil
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
