package graphtest_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/tensor"
)

// An evaluator is the reference as an executor.
type evaluator struct {
	g      *graph.Graph
	w      graph.Weights
	closed atomic.Bool
}

func (e *evaluator) Run(ctx context.Context, inputs ...*tensor.Dense) ([]*tensor.Dense, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e.closed.Load() {
		return nil, errors.New("closed")
	}
	return graph.Eval(e.g, e.w, inputs...)
}

func (e *evaluator) Close() error {
	e.closed.Store(true)
	return nil
}

func TestEvaluator(t *testing.T) {
	graphtest.Run(t, func(g *graph.Graph, w graph.Weights) (graphtest.Executor, error) {
		return &evaluator{g: g, w: w}, g.CheckWeights(w)
	}, 0)
}

// What the passes leave must mean the same.
func TestOptimizedEvaluator(t *testing.T) {
	graphtest.Run(t, func(g *graph.Graph, w graph.Weights) (graphtest.Executor, error) {
		g, w, err := graph.Optimize(g, w)
		return &evaluator{g: g, w: w}, err
	}, 1e-5)
}

func TestCompare(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, tc := range []struct {
		name      string
		got, want []float32
		shape     []int
		message   string // part of the error, if there is to be one
	}{
		{"equal", []float32{1, nan, inf}, []float32{1, nan, inf}, []int{3}, ""},
		{"within a hundredth of the largest", []float32{10, 0.1}, []float32{10, 0.19}, []int{2}, ""},
		{"beyond", []float32{10, 1, 3, 0.1}, []float32{10, 1, 3, 0.3}, []int{2, 2}, "at [1 1] is 0.1, want 0.3: differs by 0.2, may by 0.1"},
		{"no number", []float32{1, nan}, []float32{1, 1}, []int{2}, "at [1]"},
		{"infinite", []float32{1, 1}, []float32{1, inf}, []int{2}, "at [1]"},
		{"other shape", []float32{1, 2}, []float32{1, 2}, []int{2, 1}, "is float32 [2], want float32 [2, 1]"},
	} {
		got := tensor.FromFloat32(tc.got, tc.shape...)
		if tc.name == "other shape" {
			got = got.Reshape(2)
		}
		err := graphtest.Compare(got, tensor.FromFloat32(tc.want, tc.shape...), 0.01)
		if (err == nil) != (tc.message == "") || err != nil && !strings.Contains(err.Error(), tc.message) {
			t.Errorf("%s: error is %v, want %q", tc.name, err, tc.message)
		}
	}
}
