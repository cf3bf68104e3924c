package onednn_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

func TestScratch(t *testing.T) {
	n, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 10}, 3, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	w := randomWeights(n.Graph, 1)
	e, err := onednn.Compile(n.Graph, w, onednn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	in := tensor.New(tensor.Float32, 2, 3, 3, 64, 64)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range in.Float32s() {
		in.Float32s()[i] = rng.Float32()*2 - 1
	}
	got, err := e.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want, err := graph.Eval(n.Graph, w, in)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(got[0].Float32s()[:5], want[0].Float32s()[:5])
}

func randomWeights(g *graph.Graph, seed uint64) graph.Weights {
	rng := rand.New(rand.NewPCG(seed, 2))
	w := graph.Weights{}
	for _, p := range g.Params {
		d := tensor.New(tensor.Float32, p.Shape...)
		scale := float32(1)
		if len(p.Shape) > 1 {
			scale = float32(math.Sqrt(6 / float64(tensor.Count(p.Shape[1:]))))
		}
		for i := range d.Float32s() {
			v := rng.Float32() - 0.5
			switch {
			case strings.HasSuffix(p.Name, "_variance"), strings.HasSuffix(p.Name, "norm.weight"):
				v = v/2 + 1
			default:
				v *= scale
			}
			d.Float32s()[i] = v
		}
		w[p.Name] = d
	}
	return w
}
