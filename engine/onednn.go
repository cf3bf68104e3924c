package engine

import (
	"context"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
)

// onednnRunner hands the views over a few at a time, while earlier ones are
// computed, so 250 views of a clip need little more memory than 4.
type onednnRunner struct {
	*onednn.Engine
	in input
}

func openOneDNN(g *graph.Graph, w graph.Weights, in input, o Options) (runner, error) {
	e, err := onednn.Compile(g, w, onednn.Options{Threads: o.Threads, Precision: o.Precision, Scales: o.Scales, Force: o.Force})
	if err != nil {
		return nil, err
	}
	return onednnRunner{e, in}, nil
}

// Scores implements runner.
func (r onednnRunner) Scores(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
	b, err := r.in.batch(clips)
	if err != nil {
		return nil, err
	}
	out, err := r.RunRows(ctx, b.shape, func(dst []float32, from, to int) error {
		b.fill(dst, from, to)
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	return b.scores(out[0]), nil
}
