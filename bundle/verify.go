package bundle

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

const (
	// probeRows is how many different views the probe has; the clip repeats
	// them. All views would take as long as a prediction, and show no more:
	// the backbone treats each view alike.
	probeRows = 4
	// maxDifference of scores is a thousand roundings of float32.
	maxDifference = 1e-4
)

// Verify reads a model's files back and runs a random clip through them and
// through the network that they were written from. It returns the largest
// difference between two scores; more than rounding explains is an error.
func Verify(ctx context.Context, prefix string, net *tsn.Network, w graph.Weights) (float64, error) {
	b, err := Open(prefix)
	if err != nil {
		return 0, err
	}
	got, err := probe(ctx, b.Graph, b.Weights)
	if err != nil {
		return 0, err
	}
	want, err := probe(ctx, net.Graph, w)
	if err != nil {
		return 0, err
	}
	diff, size := 0.0, 1.0
	for i, v := range want {
		diff = max(diff, math.Abs(float64(got[i]-v)))
		size = max(size, math.Abs(float64(v)))
	}
	if math.IsNaN(diff) || diff > maxDifference*size {
		return diff, fmt.Errorf("%s: scores differ by %.3g", prefix, diff)
	}
	return diff, nil
}

// probe returns the scores of a clip of few different views.
func probe(ctx context.Context, g *graph.Graph, w graph.Weights) ([]float32, error) {
	shape := append([]int{1}, g.Inputs[0].Shape[1:]...)
	g, err := g.Bind(shape)
	if err != nil {
		return nil, err
	}
	body, tail := graph.SplitRows(g)
	if body == nil { // a single view
		return first(run(ctx, g, w, randomViews(shape)))
	}
	views := shape[1]
	joints, err := run(ctx, body, w, randomViews([]int{min(views, probeRows), shape[2], shape[3], shape[4]}))
	if err != nil {
		return nil, err
	}
	if len(tail.Inputs) != len(joints) {
		return nil, fmt.Errorf("graph %s: the part behind the backbone reads the pictures themselves", g.Name)
	}
	in := make([]*tensor.Dense, len(tail.Inputs))
	for i, v := range tail.Inputs {
		in[i] = repeatRows(joints[i], v.Shape)
	}
	return first(graph.Eval(tail, w, in...))
}

func first(out []*tensor.Dense, err error) ([]float32, error) {
	if err != nil {
		return nil, err
	}
	return out[0].Float32s(), nil
}

func run(ctx context.Context, g *graph.Graph, w graph.Weights, in *tensor.Dense) ([]*tensor.Dense, error) {
	e, err := onednn.Compile(g, w, onednn.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return e.Run(ctx, in)
}

// randomViews are noise of the size of normalised pixels, always the same.
func randomViews(shape []int) *tensor.Dense {
	x, rng := tensor.New(tensor.Float32, shape...), rand.New(rand.NewPCG(1, 1))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(rng.NormFloat64())
	}
	return x
}

// repeatRows fills an array of that shape with t's elements again and again.
func repeatRows(t *tensor.Dense, shape []int) *tensor.Dense {
	out := tensor.New(tensor.Float32, shape...)
	for rest := out.Float32s(); len(rest) > 0; {
		rest = rest[copy(rest, t.Float32s()):]
	}
	return out
}
