package ort_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
)

// needLibrary skips a test where ONNX Runtime is absent.
func needLibrary(t testing.TB) {
	t.Helper()
	_, err := ort.Load("")
	if absent := new(ort.NotFoundError); errors.As(err, &absent) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// random is an array of numbers in [-1, 1), the same in every run.
func random(seed uint64, shape ...int) *tensor.Dense {
	rng := rand.New(rand.NewPCG(seed, 0))
	d := tensor.New(tensor.Float32, shape...)
	for i, v := 0, d.Float32s(); i < len(v); i++ {
		v[i] = 2*rng.Float32() - 1
	}
	return d
}

func compile(t testing.TB, g *graph.Graph, w graph.Weights, o ort.Options) *ort.Engine {
	t.Helper()
	e, err := ort.Compile(g, w, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// agree compares a run with graph.Eval.
func agree(t testing.TB, e *ort.Engine, g *graph.Graph, w graph.Weights, inputs ...*tensor.Dense) {
	t.Helper()
	want, wantErr := graph.Eval(g, w, inputs...)
	got, err := e.Run(t.Context(), inputs...)
	if err := errors.Join(err, wantErr); err != nil {
		t.Error(err)
		return
	}
	if len(got) != len(want) {
		t.Errorf("%d results, want %d", len(got), len(want))
		return
	}
	for i := range want {
		if err := graphtest.Compare(got[i], want[i], 2e-6); err != nil {
			t.Errorf("output %s: %v", g.Outputs[i].Name, err)
		}
	}
}
