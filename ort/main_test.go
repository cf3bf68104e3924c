package ort_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pptsn/pptsn/graph"
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

// randomWeights are of any sign but for variances, which are called so.
func randomWeights(g *graph.Graph) graph.Weights {
	w := graph.Weights{}
	for i, p := range g.Params {
		w[p.Name] = random(uint64(i)+100, p.Shape...)
		if p.Name != "variance" {
			continue
		}
		for j, v := 0, w[p.Name].Float32s(); j < len(v); j++ {
			v[j] = 1 + v[j]/2
		}
	}
	return w
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

// same compares results with the evaluator's; differences count relative to
// the largest value.
func same(t testing.TB, got, want []*tensor.Dense) {
	t.Helper()
	const tolerance = 2e-6
	if len(got) != len(want) {
		t.Fatalf("%d results, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].String() != want[i].String() {
			t.Errorf("result %d is %s, want %s", i, got[i], want[i])
			continue
		}
		largest, worst, at := 1e-3, 0.0, 0
		g, w := got[i].Float32s(), want[i].Float32s()
		for k := range w {
			largest = max(largest, math.Abs(float64(w[k])))
			if d := math.Abs(float64(g[k]) - float64(w[k])); d > worst || math.IsNaN(d) {
				worst, at = d, k
			}
		}
		if !(worst <= tolerance*largest) {
			t.Errorf("result %d %s: element %d is %v, want %v", i, got[i], at, g[at], w[at])
		}
	}
}
