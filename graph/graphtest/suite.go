// Package graphtest holds the tests that every executor of graphs must pass:
// each operation and small whole networks, compared with the plain evaluator.
package graphtest

import (
	"context"
	"fmt"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// An Executor runs one network. Many goroutines may call Run at once. Inputs
// may have any shapes that the graph allows; others are an error. A context
// that has ended is an error that wraps its cause, and so is any call of Run
// after Close. Close may be called twice.
type Executor interface {
	Run(ctx context.Context, inputs ...*tensor.Dense) ([]*tensor.Dense, error)
	Close() error
}

// Compile makes an executor for a graph and its weights.
type Compile func(g *graph.Graph, w graph.Weights) (Executor, error)

// Run tests executors that compile makes. Results may differ from graph.Eval's
// by tol, relative to the largest magnitude of the expected array: 1e-5 suits
// float32.
func Run(t *testing.T, compile func(g *graph.Graph, w graph.Weights) (Executor, error), tol float64) {
	s := suite{compile: compile, tol: tol}
	for _, group := range groups() {
		t.Run(group.name, func(t *testing.T) {
			for _, tc := range group.cases {
				t.Run(tc.name, func(t *testing.T) { s.testCase(t, tc) })
			}
		})
	}
	t.Run("batch sizes", s.testBatches)
	t.Run("unknown sides", s.testSides)
	t.Run("several inputs and outputs", s.testSeveral)
	t.Run("many goroutines", s.testGoroutines)
	t.Run("wrong inputs", s.testWrongInputs)
	t.Run("closed", s.testClosed)
	t.Run("cancelled", s.testCancelled)
	t.Run("arguments stay as they are", s.testUnchanged)
}

type suite struct {
	compile Compile
	tol     float64
}

// A group is the cases of one kind of operation.
type group struct {
	name  string
	cases []testCase
}

func groups() []group {
	return []group{
		{"conv", convCases()}, {"pool", poolCases()}, {"elementwise", elementwiseCases()},
		{"reduce", reduceCases()}, {"layout", layoutCases()}, {"fused", fusedCases()}, {"network", networkCases()}, {"random", randomCases()},
	}
}

// A testCase is a network of one input.
type testCase struct {
	name  string
	input []int // the shape; the first dimension is left unknown in the graph
	make  func(b *builder, x *graph.Value) *graph.Value
}

func (tc testCase) graph() *graph.Graph {
	b := &builder{Graph: graph.New(tc.name)}
	b.Output(tc.make(b, b.unknownBatch(tc.input)))
	return b.Graph
}

// testCase compares one run. Inputs and weights depend on the name alone.
func (s suite) testCase(t *testing.T, tc testCase) {
	g, r := tc.graph(), newRandom(tc.name)
	w, in := r.weights(g), r.tensor(tc.input...)
	e := s.start(t, g, w)
	want, err := graph.Eval(g, w, in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.compare(g, got, want); err != nil {
		t.Error(err)
	}
}

// start compiles a graph; the executor is closed when the test ends.
func (s suite) start(t *testing.T, g *graph.Graph, w graph.Weights) Executor {
	t.Helper()
	e, err := s.compile(g, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// compare reports the output that differs most in terms of its tolerance.
func (s suite) compare(g *graph.Graph, got, want []*tensor.Dense) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d outputs, want %d", len(got), len(want))
	}
	for i, v := range g.Outputs {
		if err := Compare(got[i], want[i], s.tol); err != nil {
			return fmt.Errorf("output %s: %w", v.Name, err)
		}
	}
	return nil
}
