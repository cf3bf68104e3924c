package ort_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
)

type shapes = [][]int

func act(f graph.ActFunc) graph.Activation { return graph.Activation{Func: f} }

// Every operation by itself, on awkward shapes, against graph.Eval.
func TestOperations(t *testing.T) {
	needLibrary(t)
	hardSigmoid := graph.Activation{Func: graph.HardSigmoid, Slope: 0.3, Offset: 0.4}
	conv := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1}
	for _, tc := range []struct {
		name   string
		op     graph.Op
		in     shapes // inputs
		params shapes // operands behind them
	}{
		{"conv", conv, shapes{{2, 3, 7, 5}}, shapes{{4, 3, 3, 2}}},
		{"conv of one pixel", conv, shapes{{1, 5, 1, 1}}, shapes{{7, 5, 1, 1}}},
		{"conv, all at once", graph.Conv{Stride: [2]int{2, 3}, Dilation: [2]int{2, 1}, Pad: graph.Pad{Top: 1, Left: 0, Bottom: 2, Right: 3},
			Groups: 2, Bias: true, Act: act(graph.ReLU)}, shapes{{3, 4, 11, 9}}, shapes{{6, 2, 3, 3}, {6}}},
		{"depthwise conv", graph.Conv{Stride: [2]int{2, 2}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(2), Groups: 5, Act: act(graph.HardSwish)},
			shapes{{1, 5, 9, 8}}, shapes{{5, 1, 5, 5}}},
		{"batch norm", graph.BatchNorm{Epsilon: 1e-3}, shapes{{2, 3, 2, 5}}, shapes{{3}, {3}, {3}, {3}}},
		{"batch norm of rows", graph.BatchNorm{Epsilon: 1e-5}, shapes{{4, 3}}, shapes{{3}, {3}, {3}, {3}}},
		{"identity", graph.Activate{}, shapes{{3, 2}}, nil},
		{"relu", graph.Activate{Act: act(graph.ReLU)}, shapes{{3, 2}}, nil},
		{"relu6", graph.Activate{Act: act(graph.ReLU6)}, shapes{{3, 50}}, nil},
		{"hard swish", graph.Activate{Act: act(graph.HardSwish)}, shapes{{3, 50}}, nil},
		{"hard sigmoid", graph.Activate{Act: hardSigmoid}, shapes{{3, 50}}, nil},
		{"sigmoid", graph.Activate{Act: act(graph.Sigmoid)}, shapes{{3, 2}}, nil},
		{"add", graph.Binary{Op: graph.Add, Act: act(graph.ReLU)}, shapes{{2, 3, 4}, {2, 3, 4}}, nil},
		{"sub, broadcast both ways", graph.Binary{Op: graph.Sub}, shapes{{2, 1, 4}, {3, 1}}, nil},
		{"mul by a parameter", graph.Binary{Op: graph.Mul, Act: hardSigmoid}, shapes{{2, 3, 4, 4}}, shapes{{3, 1, 1}}},
		{"div by a scalar", graph.Binary{Op: graph.Div}, shapes{{2, 3}, {}}, nil},
		{"affine", graph.Affine{Scale: 2.5, Shift: -1}, shapes{{2, 3}}, nil},
		{"affine that only scales", graph.Affine{Scale: 2.5}, shapes{{2, 3}}, nil},
		{"affine that does nothing", graph.Affine{Scale: 1}, shapes{{2, 3}}, nil},
		{"linear", graph.Linear{Bias: true}, shapes{{4, 7}}, shapes{{7, 3}, {3}}},
		{"linear, transposed", graph.Linear{Transposed: true}, shapes{{4, 7}}, shapes{{3, 7}}},
		{"linear of a vector", graph.Linear{Bias: true}, shapes{{7}}, shapes{{7, 3}, {3}}},
		{"linear of three axes, transposed", graph.Linear{Transposed: true, Bias: true}, shapes{{2, 4, 7}}, shapes{{3, 7}, {3}}},
		{"mean of the picture", graph.Mean{Axes: []int{2, 3}, Keep: true}, shapes{{2, 3, 7, 5}}, nil},
		{"mean of the middle", graph.Mean{Axes: []int{1}}, shapes{{2, 3, 4}}, nil},
		{"mean of all", graph.Mean{Axes: []int{0, 1}}, shapes{{2, 3}}, nil},
		{"mean of no axis", graph.Mean{}, shapes{{2, 3}}, nil},
		{"reshape", graph.Reshape{Shape: []int{0, -1, 2}}, shapes{{3, 4, 5}}, nil},
		{"reshape to more axes", graph.Reshape{Shape: []int{-1, 3, 2, 2}}, shapes{{5, 12}}, nil},
		{"transpose", graph.Transpose{Perm: []int{2, 0, 3, 1}}, shapes{{2, 3, 4, 5}}, nil},
		{"concat", graph.Concat{Axis: 1}, shapes{{2, 3, 2}, {2, 1, 2}, {2, 4, 2}}, nil},
		{"concat of one", graph.Concat{Axis: 0}, shapes{{2, 3}}, nil},
		{"slice", graph.Slice{Axes: []int{2, 0}, Starts: []int{-3, 1}, Ends: []int{math.MaxInt, 2}}, shapes{{3, 2, 5}}, nil},
		{"softmax", graph.Softmax{Axis: 1}, shapes{{2, 7, 3}}, nil},
		{"dropout", graph.Dropout{P: 0.5}, shapes{{2, 7}}, nil},
		{"temporal shift", graph.TemporalShift{Segments: 3, Ratio: 0.25}, shapes{{6, 9, 2, 3}}, nil},
		{"temporal shift of all channels", graph.TemporalShift{Segments: 4, Ratio: 0.5}, shapes{{4, 6, 1, 1}}, nil},
		{"temporal shift of no channel", graph.TemporalShift{Segments: 2, Ratio: 0.1}, shapes{{4, 6, 2, 2}}, nil},
		{"temporal shift of single frames", graph.TemporalShift{Segments: 1, Ratio: 0.25}, shapes{{3, 8, 2, 2}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := graph.New("one operation")
			var operands []*graph.Value
			for i, s := range tc.in {
				operands = append(operands, g.Input(fmt.Sprint("x", i), s...))
			}
			for i, s := range tc.params {
				name := fmt.Sprint("p", i)
				if _, ok := tc.op.(graph.BatchNorm); ok && i == 3 {
					name = "variance"
				}
				operands = append(operands, g.Param(name, s...))
			}
			g.Output(g.Must("y", tc.op, operands...))
			against(t, g, 8)
		})
	}
}

// against runs a graph with random weights and inputs, multiplied by scale, and
// compares with graph.Eval.
func against(t *testing.T, g *graph.Graph, scale float32) {
	t.Helper()
	var inputs []*tensor.Dense
	for i, v := range g.Inputs {
		in := random(uint64(i), v.Shape...)
		for k, x := 0, in.Float32s(); k < len(x); k++ {
			x[k] *= scale
		}
		inputs = append(inputs, in)
	}
	w := randomWeights(g)
	want, err := graph.Eval(g, w, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := compile(t, g, w, ort.Options{}).Run(t.Context(), inputs...)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
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
			against(t, g, 1)
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
		in := random(1, shape...)
		want, err := graph.Eval(g, nil, in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Run(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, want)
	}
}
