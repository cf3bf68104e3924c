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

// OnTorch readies a network for a session's device, as OnOneDNN does for the
// CPU: what a GPU that trains validates with. All clips of a batch are computed
// at once.
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
