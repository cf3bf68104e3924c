package onednn_test

import (
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

// bfloat16Tolerance is a few roundings to 8 bits of mantissa.
const bfloat16Tolerance = 2e-2

// requires skips where the processor lacks the instructions.
func requires(t *testing.T, p graph.Precision) {
	if err := onednn.Supports(p); err != nil {
		t.Skip(err)
	}
}

func TestBFloat16(t *testing.T) {
	requires(t, graph.BF16)
	graphtest.Run(t, func(g *graph.Graph, w graph.Weights) (graphtest.Executor, error) {
		return onednn.Compile(g, w, onednn.Options{Threads: 2, Chunk: 3, Precision: graph.BF16})
	}, bfloat16Tolerance)
}

// int8Tolerance is two steps of 127: a sum in float32 may be rounded to the
// other side than one in float64, in several layers.
const int8Tolerance = 2. / 127

func TestInt8(t *testing.T) {
	requires(t, graph.INT8)
	graphtest.RunInt8(t, func(g *graph.Graph, w graph.Weights, s graph.Scales) (graphtest.Executor, error) {
		return onednn.Compile(g, w, onednn.Options{Threads: 2, Chunk: 3, Precision: graph.INT8, Scales: s})
	}, int8Tolerance)
}

// A residual is added in its own scale also where the sum's happens to be 1.
func TestInt8SumOfScaleOne(t *testing.T) {
	requires(t, graph.INT8)
	g := graph.New("sum")
	x := g.Input("x", 1, 16, 4, 4)
	one := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Residual: true}
	y := g.Must("y", one, x, g.Param("w", 16, 16, 1, 1), x)
	one.Residual = false
	g.Output(g.Must("z", one, y, g.Param("v", 16, 16, 1, 1)))
	w := randomWeights(g, 1)
	s := graph.Scales{"x": {Scale: 0.02, Signed: true}, "y": {Scale: 1, Signed: true}}
	q, err := graph.Quantize(g, w, s, graph.QuantizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in := tensor.New(tensor.Float32, 1, 16, 4, 4)
	for i := range in.Float32s() {
		in.Float32s()[i] = float32(i%11) / 5
	}
	want, err := graph.Eval(q, w, in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := compile(t, g, w, onednn.Options{Precision: graph.INT8, Scales: s}).Run(t.Context(), in)
	if err == nil {
		err = graphtest.Compare(got[0], want[0], int8Tolerance)
	}
	if err != nil {
		t.Error(err)
	}
}
