package quantize_test

import (
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/quantize"
	"github.com/pptsn/pptsn/tensor"
)

// The value between two convolutions by 3 and by 1 of the numbers -2 to 5 ends in
// a ReLU: the largest is 15, in 255 steps.
func TestRough(t *testing.T) {
	g := graph.New("two")
	conv := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1}
	x := g.Input("x", graph.Unknown, 1, 2, 2)
	y := g.Must("y", graph.Activate{Act: graph.Activation{Func: graph.ReLU}}, g.Must("c", conv, x, g.Param("three", 1, 1, 1, 1)))
	g.Output(g.Must("z", conv, y, g.Param("one", 1, 1, 1, 1)))
	w := graph.Weights{"three": tensor.FromFloat32([]float32{3}, 1, 1, 1, 1), "one": tensor.FromFloat32([]float32{1}, 1, 1, 1, 1)}
	inputs := []*tensor.Dense{tensor.FromFloat32([]float32{-2, 1, 0, 5}, 1, 1, 2, 2), tensor.FromFloat32([]float32{1, 1, 1, 1}, 1, 1, 2, 2)}
	s, err := quantize.Rough(t.Context(), g, w, 1, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	if want := (graph.Int8{Scale: 15.0 / 255}); len(s) != 1 || s["y"] != want {
		t.Errorf("scales %v, want y: %v", s, want)
	}
}
