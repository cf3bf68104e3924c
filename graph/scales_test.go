package graph_test

import (
	"slices"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// What a convolution of integers gives, by hand: x is held in steps of 0.5 from
// 0 to 127.5, the weights -127 and 64 in steps of 1 and 2, the bias in their
// products.
func TestQuantize(t *testing.T) {
	g := graph.New("int8")
	x := g.Input("x", 1, 1, 1, 2)
	y := g.Must("y", graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Bias: true},
		x, g.Param("w", 2, 1, 1, 1), g.Param("b", 2))
	g.Output(y)
	w := graph.Weights{
		"w": tensor.FromFloat32([]float32{-127, 254}, 2, 1, 1, 1),
		"b": tensor.FromFloat32([]float32{0.3, 5.4}, 2),
	}
	q, err := graph.Quantize(g, w, graph.Scales{"x": {Scale: 0.5}}, graph.QuantizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := graph.Eval(q, w, tensor.FromFloat32([]float32{-3, 1.3}, 1, 1, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	// x becomes 0 and 1.5; the bias 0.5 (0.3 to the nearest 0.5) and 5 (5.4 to the nearest 1)
	if want := []float32{0.5, -190, 5, 386}; !slices.Equal(out[0].Float32s(), want) {
		t.Errorf("%v, want %v", out[0].Float32s(), want)
	}
}
