package onednn_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onednn"
)

// twoParts is a network with a block on large pictures, one on fewer channels
// that changes nothing of the first's shape, and then a convolution with more weights
// than early layers may have.
func twoParts() *graph.Graph {
	g := graph.New("parts")
	conv := func(name string, kernel, stride, out int, in ...*graph.Value) *graph.Value {
		op := graph.Conv{
			Stride: [2]int{stride, stride}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(kernel / 2), Groups: 1,
			Bias: true, Residual: len(in) == 2, Act: graph.Activation{Func: graph.ReLU},
		}
		operands := []*graph.Value{in[0], g.Param(name+".w", out, in[0].Shape[1], kernel, kernel), g.Param(name+".b", out)}
		return g.Must(name, op, append(operands, in[1:]...)...)
	}
	v := conv("stem", 3, 2, 64, g.Input("x", graph.Unknown, 3, 18, 22))
	for _, block := range []string{"a", "b"} {
		narrow := conv(block+"0", 1, 1, 32, v)
		v = conv(block+"2", 1, 1, 64, conv(block+"1", 3, 1, 32, narrow), v)
	}
	v = conv("large", 3, 2, 608, v)
	g.Output(conv("last", 1, 1, 32, v))
	return g
}

// TestEarlyLayers compares layers that are computed two rows at a time, and the
// last alone, with the evaluator, and with all rows at once.
func TestEarlyLayers(t *testing.T) {
	requires(t, graph.BF16)
	const rows = 7
	g := twoParts()
	w, in := randomWeights(g, 3), ramp(rows, 3, 18, 22)
	want, err := graph.Eval(g, w, in)
	if err != nil {
		t.Fatal(err)
	}
	few := compile(t, g, w, onednn.Options{Threads: 2, Chunk: rows, Precision: graph.BF16})
	all := compile(t, g, w, onednn.Options{Threads: rows, Chunk: rows, Precision: graph.BF16})
	layers, _, err := few.Profile(t.Context(), 1, in.Shape)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []string{"b2 [2, 64", "b2 [1, 64", "large [7, 608"} {
		if !slices.ContainsFunc(layers, func(got onednn.LayerTime) bool { return strings.HasPrefix(got.Layer, l) }) {
			t.Errorf("no layer %s: %+v", l, layers)
		}
	}
	var results [2][]byte
	for i, e := range []*onednn.Engine{few, all} {
		for range 2 {
			got, err := e.Run(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if err := graphtest.Compare(got[0], want[0], bfloat16Tolerance); err != nil {
				t.Fatal(err)
			}
			results[i] = got[0].Data
		}
	}
	if !slices.Equal(results[0], results[1]) {
		t.Error("a few rows at a time and all at once differ")
	}
}
