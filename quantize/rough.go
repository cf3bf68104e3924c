package quantize

import (
	"context"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

// Rough chooses scales for a graph by the largest magnitudes that its values have
// for a few inputs, and looks at nothing else: good enough to measure speed with,
// of weights that were drawn at random for one. Run is for models.
func Rough(ctx context.Context, g *graph.Graph, w graph.Weights, threads int, inputs ...*tensor.Dense) (graph.Scales, error) {
	g, w, err := graph.Optimize(g, w)
	if err != nil {
		return nil, err
	}
	h := hold(g, nil)
	run, err := open(g, w, onednn.Options{Threads: threads}, h.values()...)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	c := newCalibration(h.values())
	for _, x := range inputs {
		values, err := run.run(ctx, x)
		if err == nil {
			err = c.add(values)
		}
		if err != nil {
			return nil, err
		}
	}
	return h.scales(c.counts, largest), nil
}
