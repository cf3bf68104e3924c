package onnx_test

import (
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onnx"
	"github.com/pptsn/pptsn/tensor"
)

// Bits by IEEE 754's binary16: 5 of exponent, 10 of mantissa, ties to even.
func TestFloat16(t *testing.T) {
	numbers, want := []float32{}, []int{}
	for _, tc := range []struct {
		x    float32
		bits int
	}{
		{0, 0}, {float32(math.Copysign(0, -1)), 0x8000}, {1, 0x3c00}, {-2, 0xc000}, {0.1, 0x2e66}, {1. / 3, 0x3555},
		{65504, 0x7bff}, {1e6, 0x7bff}, {-1e6, 0xfbff}, {float32(math.Inf(1)), 0x7bff},
		{0x1p-14, 0x0400}, {0x1p-24, 1}, {0x1p-25, 0}, {0x1.8p-24, 2}, {0x1.ff8p-15, 0x03ff}, {0x1.fffp-15, 0x0400},
		{1 + 0x1p-11, 0x3c00}, {1 + 0x3p-11, 0x3c02}, {2 - 0x1p-12, 0x4000},
	} {
		numbers, want = append(numbers, tc.x), append(want, tc.bits)
	}
	g := graph.New("half")
	x := g.Input("x", graph.Unknown, len(numbers))
	y := g.Must("y", graph.Binary{Op: graph.Add}, x, g.Param("p", len(numbers)))
	g.Output(y, x)
	f := write(t, g, graph.Weights{"p": tensor.FromFloat32(numbers, len(numbers))}, onnx.Options{Float16: true})
	if got := f.ints["p"]; !slices.Equal(got, want) {
		t.Errorf("bits %#x\nwant %#x", got, want)
	}
	to := func(kind int) map[string]any { return map[string]any{"to": []int{kind}} } // FLOAT is 1, FLOAT16 10
	nodes := []node{
		{"x/float16", "Cast", []string{"x"}, []string{"x/float16"}, to(10)},
		{"y/float16", "Add", []string{"x/float16", "p"}, []string{"y/float16"}, map[string]any{}},
		{"y", "Cast", []string{"y/float16"}, []string{"y"}, to(1)},
		{"x/output", "Cast", []string{"x/float16"}, []string{"x/output"}, to(1)},
	}
	if !reflect.DeepEqual(f.nodes, nodes) {
		t.Errorf("nodes %v, want %v", f.nodes, nodes)
	}
}

func TestFloat16OfQuantised(t *testing.T) {
	g := graph.New("int8")
	g.Output(g.Must("y", graph.FakeQuant{Type: tensor.Int8, Scales: []float32{1}}, g.Input("x", 2)))
	if err := onnx.Write(io.Discard, g, nil, onnx.Options{Float16: true}); err == nil || !strings.Contains(err.Error(), "float16") {
		t.Errorf("error %v", err)
	}
}
