package ort_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
)

// What graphtest leaves out because only ONNX makes it special.
func TestOperations(t *testing.T) {
	needLibrary(t)
	for _, tc := range []struct {
		name string
		op   graph.Op
		in   [][]int
	}{
		{"identity", graph.Activate{}, [][]int{{3, 2}}},
		{"affine that only scales", graph.Affine{Scale: 2.5}, [][]int{{2, 3}}},
		{"affine that only shifts", graph.Affine{Scale: 1, Shift: 2}, [][]int{{2, 3}}},
		{"affine that does nothing", graph.Affine{Scale: 1}, [][]int{{2, 3}}},
		{"division by a scalar", graph.Binary{Op: graph.Div}, [][]int{{2, 3}, {}}},
		{"mean of all", graph.Mean{Axes: []int{0, 1}}, [][]int{{2, 3}}},
		{"mean of no axis", graph.Mean{}, [][]int{{2, 3}}},
		{"reshape that keeps and fills", graph.Reshape{Shape: []int{0, -1, 2}}, [][]int{{3, 4, 5}}},
		{"concat of one", graph.Concat{Axis: 0}, [][]int{{2, 3}}},
		{"slice to the end", graph.Slice{Axes: []int{2, 0}, Starts: []int{-3, 1}, Ends: []int{math.MaxInt, 2}}, [][]int{{3, 2, 5}}},
		{"temporal shift", graph.TemporalShift{Segments: 3, Ratio: 0.25}, [][]int{{6, 9, 2, 3}}},
		{"temporal shift of all channels", graph.TemporalShift{Segments: 4, Ratio: 0.5}, [][]int{{4, 6, 1, 1}}},
		{"temporal shift of no channel", graph.TemporalShift{Segments: 2, Ratio: 0.1}, [][]int{{4, 6, 2, 2}}},
		{"temporal shift of single frames", graph.TemporalShift{Segments: 1, Ratio: 0.25}, [][]int{{3, 8, 2, 2}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := graph.New("one operation")
			var operands []*graph.Value
			for i, s := range tc.in {
				operands = append(operands, g.Input(fmt.Sprint("x", i), s...))
			}
			g.Output(g.Must("y", tc.op, operands...))
			against(t, g)
		})
	}
}

// against compares a graph without parameters with graph.Eval.
func against(t *testing.T, g *graph.Graph) {
	t.Helper()
	var inputs []*tensor.Dense
	for i, v := range g.Inputs {
		inputs = append(inputs, random(uint64(i), v.Shape...))
	}
	agree(t, compile(t, g, nil, ort.Options{}), g, nil, inputs...)
}

// All poolings of small windows over small pictures, one after another in one
// graph, so that ONNX Runtime is started once for each picture.
func TestPooling(t *testing.T) {
	needLibrary(t)
	for size := 1; size <= 8; size++ {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			g := graph.New("pooling")
			x := g.Input("x", 2, 3, size, 5)
			for _, p := range poolings(size) {
				g.Output(g.Must(fmt.Sprintf("%+v", p), p, x))
			}
			against(t, g)
		})
	}
}

// poolings are the valid ones of a picture of that height and width 5.
func poolings(height int) []graph.Pool {
	var list []graph.Pool
	for kernel := 1; kernel <= 3; kernel++ {
		for stride := 1; stride <= 4; stride++ {
			for pad := range kernel * kernel {
				top, bottom := pad/kernel, pad%kernel
				if height+top+bottom < kernel {
					continue
				}
				for flags := range 6 {
					list = append(list, graph.Pool{
						Max: flags >= 4, CountPadding: flags/2 == 1, Ceil: flags%2 == 1,
						Kernel: [2]int{kernel, 2}, Stride: [2]int{stride, 2},
						Pad: graph.Pad{Top: top, Left: 1, Bottom: bottom, Right: 0},
					})
				}
			}
		}
	}
	return list
}

// Pictures of a size that is known only when they come.
func TestUnknownSizes(t *testing.T) {
	needLibrary(t)
	g := graph.New("unknown sizes")
	x := g.Input("x", graph.Unknown, 4, graph.Unknown, graph.Unknown)
	g.Output(
		g.Must("shortcut", graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Ceil: true}, x),
		g.Must("counted", graph.Pool{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: graph.SamePad(1), Ceil: true, CountPadding: true}, x),
		g.Must("largest", graph.Pool{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: graph.SamePad(1), Ceil: true, Max: true}, x),
		g.Must("shifted", graph.TemporalShift{Segments: 2, Ratio: 0.25}, x),
		g.Must("kept", graph.Reshape{Shape: []int{0, -1}}, x),
	)
	e := compile(t, g, nil, ort.Options{})
	for _, shape := range [][]int{{2, 4, 7, 7}, {4, 4, 6, 5}, {2, 4, 3, 8}} {
		agree(t, e, g, nil, random(1, shape...))
	}
}
