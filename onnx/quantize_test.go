package onnx_test

import (
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onnx"
	"github.com/pptsn/pptsn/tensor"
)

// A convolution of integers, as readers look for it: integers as they are, with
// DequantizeLinear behind them.
func TestFakeQuant(t *testing.T) {
	g := graph.New("int8")
	x := g.Input("x", 1, 1, 1, 1)
	w, b := g.Param("w", 2, 1, 1, 1), g.Param("b", 2)
	in := []*graph.Value{
		g.Must("x/int8", graph.FakeQuant{Type: tensor.Uint8, Scales: []float32{0.5}}, x),
		g.Must("w/int8", graph.FakeQuant{Type: tensor.Int8, Scales: []float32{2, 0.25}}, w),
		g.Must("b/int8", graph.FakeQuant{Type: tensor.Int32, Scales: []float32{1, 0.125}}, b),
	}
	conv := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Bias: true}
	g.Output(g.Must("y", conv, in...))
	f := write(t, g, graph.Weights{
		"w": tensor.FromFloat32([]float32{-300, 0.375}, 2, 1, 1, 1), // beyond the range; 1.5 is rounded to even
		"b": tensor.FromFloat32([]float32{-70000, 0.3}, 2),
	}, onnx.Options{})
	axis := map[string]any{"axis": []int{0}}
	want := []node{
		{"x/int8/quantizelinear", "QuantizeLinear", []string{"x", "x/int8/scale", "x/int8/zero_point"}, []string{"x/int8/quantizelinear"}, map[string]any{}},
		{"x/int8", "DequantizeLinear", []string{"x/int8/quantizelinear", "x/int8/scale", "x/int8/zero_point"}, []string{"x/int8"}, map[string]any{}},
		{"w/int8", "DequantizeLinear", []string{"w/int8/integers", "w/int8/scale", "w/int8/zero_point"}, []string{"w/int8"}, axis},
		{"b/int8", "DequantizeLinear", []string{"b/int8/integers", "b/int8/scale", "b/int8/zero_point"}, []string{"b/int8"}, axis},
	}
	if got := f.nodes[:4]; !reflect.DeepEqual(got, want) {
		t.Errorf("nodes\n%v, want\n%v", got, want)
	}
	wantInts := map[string][]int{
		"w/int8/integers": {-128, 2}, "b/int8/integers": {-70000, 2},
		"x/int8/zero_point": {0}, "w/int8/zero_point": {0, 0}, "b/int8/zero_point": {0, 0},
	}
	if !reflect.DeepEqual(f.ints, wantInts) {
		t.Errorf("integers %v, want %v", f.ints, wantInts)
	}
	wantFloats := map[string][]float32{"x/int8/scale": {0.5}, "w/int8/scale": {2, 0.25}, "b/int8/scale": {1, 0.125}}
	if !reflect.DeepEqual(f.floats, wantFloats) { // without w and b
		t.Errorf("numbers %v, want %v", f.floats, wantFloats)
	}
	wantTypes := map[string]string{ // UINT8 is 2, INT8 3, INT32 6
		"x/int8/scale": "1 []", "x/int8/zero_point": "2 []",
		"w/int8/integers": "3 [2 1 1 1]", "w/int8/scale": "1 [2]", "w/int8/zero_point": "3 [2]",
		"b/int8/integers": "6 [2]", "b/int8/scale": "1 [2]", "b/int8/zero_point": "6 [2]",
	}
	if !reflect.DeepEqual(f.types, wantTypes) {
		t.Errorf("types %v, want %v", f.types, wantTypes)
	}
}

// A parameter that is read as it is too is written both ways.
func TestFakeQuantKeepsWhatIsRead(t *testing.T) {
	g := graph.New("both")
	w := g.Param("w", 2)
	rounded := g.Must("w/int8", graph.FakeQuant{Type: tensor.Int8, Scales: []float32{1}}, w)
	g.Output(g.Must("y", graph.Binary{Op: graph.Sub}, w, rounded))
	f := write(t, g, graph.Weights{"w": tensor.FromFloat32([]float32{1.25, -3}, 2)}, onnx.Options{})
	if got := f.floats["w"]; !reflect.DeepEqual(got, []float32{1.25, -3}) {
		t.Errorf("w is %v", got)
	}
	if got := f.ints["w/int8/integers"]; !reflect.DeepEqual(got, []int{1, -3}) {
		t.Errorf("its integers are %v", got)
	}
}

func TestFakeQuantWithoutOperator(t *testing.T) {
	g := graph.New("int32")
	g.Output(g.Must("y", graph.FakeQuant{Type: tensor.Int32, Scales: []float32{1}}, g.Input("x", 2)))
	if err := onnx.Write(io.Discard, g, nil, onnx.Options{}); err == nil || !strings.Contains(err.Error(), "only parameters") {
		t.Errorf("error %v", err)
	}
}

// sumGraph is relu(conv(x) + r) with all three in 8 bits: x in steps of 0.5,
// r up to 25.5, the sum up to 51.
func sumGraph() (*graph.Graph, graph.Weights) {
	g := graph.New("sum")
	rounded := func(v *graph.Value, scale float32) *graph.Value {
		return g.Must(v.Name+"/int8", graph.FakeQuant{Type: tensor.Uint8, Scales: []float32{scale}}, v)
	}
	x, r := g.Input("x", 1, 4, 6, 6), g.Input("r", 1, 8, 6, 6)
	in := []*graph.Value{rounded(x, 0.5), g.Must("w/int8", graph.FakeQuant{Type: tensor.Int8, Scales: []float32{0.01}}, g.Param("w", 8, 4, 1, 1)), rounded(r, 0.1)}
	conv := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Residual: true, Act: graph.Activation{Func: graph.ReLU}}
	g.Output(rounded(g.Must("y", conv, in...), 0.2))
	return g, graph.Weights{"w": uniform(1, -1, 1, 8, 4, 1, 1)}
}

func uniform(seed uint64, least, most float32, shape ...int) *tensor.Dense {
	rng, d := rand.New(rand.NewPCG(seed, 0)), tensor.New(tensor.Float32, shape...)
	for i := range d.Float32s() {
		d.Float32s()[i] = least + (most-least)*rng.Float32()
	}
	return d
}

// The addend may be as large as the sum; whatever is rounded and cut off there
// moves the sum by no more than half a step of either.
func TestSplitSums(t *testing.T) {
	g, w := sumGraph()
	split := onnx.SplitSums(g)
	if err := split.Check(); err != nil {
		t.Fatal(err)
	}
	const step = 51.0 / 127
	found := false
	for _, n := range split.Nodes {
		if op, ok := n.Op.(graph.FakeQuant); ok && strings.HasPrefix(n.Out.Name, "y/product") {
			found = true
			if op.Type != tensor.Int8 || math.Abs(float64(op.Scales[0])-step) > 1e-6 {
				t.Errorf("the addend is rounded by %v, want int8 in steps of %v", op, step)
			}
		}
		if c, ok := n.Op.(graph.Conv); ok && (c.Residual || c.Act.Func == graph.ReLU) {
			t.Errorf("%v still adds", n)
		}
	}
	if !found {
		t.Fatalf("no addend is rounded: %v", split.Nodes)
	}
	x, r := uniform(2, 0, 60, 1, 4, 6, 6), uniform(3, 0, 30, 1, 8, 6, 6) // sums from below 0 to beyond 51
	want, err := graph.Eval(g, w, x, r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := graph.Eval(split, w, x, r)
	if err != nil {
		t.Fatal(err)
	}
	largest := 0.0
	for i, v := range want[0].Float32s() {
		largest = max(largest, math.Abs(float64(got[0].Float32s()[i]-v)))
	}
	if largest > step/2+0.2 || largest == 0 {
		t.Errorf("sums differ by up to %v, want some and at most %v", largest, step/2+0.2)
	}
}

// What is not a sum of integers stays.
func TestSplitSumsLeavesOthers(t *testing.T) {
	g := graph.New("floats")
	x, r := g.Input("x", 1, 4, 6, 6), g.Input("r", 1, 8, 6, 6)
	conv := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Residual: true}
	g.Output(g.Must("y", conv, x, g.Param("w", 8, 4, 1, 1), r))
	if got := onnx.SplitSums(g); len(got.Nodes) != 1 || !reflect.DeepEqual(got.Nodes[0].Op, g.Nodes[0].Op) {
		t.Errorf("nodes %v", got.Nodes)
	}
}
