package onnx_test

import (
	"errors"
	"fmt"
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

func zeros(g *graph.Graph) graph.Weights {
	w := graph.Weights{}
	for _, p := range g.Params {
		w[p.Name] = tensor.New(tensor.Float32, p.Shape...)
	}
	return w
}

func TestModel(t *testing.T) {
	g := graph.New("tiny")
	x, p := g.Input("x", graph.Unknown, 2), g.Param("p", 2)
	y := g.Must("y", graph.Binary{Op: graph.Add}, x, p)
	g.Output(y, g.Must("rows", graph.Reshape{Shape: []int{1, -1}}, y))
	w := graph.Weights{"p": tensor.FromFloat32([]float32{1, -2.5}, 2)}
	f := write(t, g, w, onnx.Options{Metadata: map[string]string{"labels": "run\nwalk", "b": "2"}})
	if got := f.model.ints(1); !slices.Equal(got, []int{8}) {
		t.Errorf("IR version %v, want 8", got)
	}
	if got := f.model.sub(t, 8)[0]; !slices.Equal(got.ints(2), []int{18}) || got.text(1) != "" {
		t.Errorf("operator set %v of domain %q, want 18 of the default", got.ints(2), got.text(1))
	}
	if pairs := f.model.sub(t, 14); len(pairs) != 2 || pairs[1].text(1) != "labels" || pairs[1].text(2) != "run\nwalk" {
		t.Errorf("metadata %v", pairs)
	}
	if got := f.graph.text(2); got != "tiny" {
		t.Errorf("the graph is called %q", got)
	}
	if want := []float32{1, -2.5}; !slices.Equal(f.floats["p"], want) {
		t.Errorf("p is %v, want %v", f.floats["p"], want)
	}
	if want := map[string][]any{"x": {"N", 2}}; !reflect.DeepEqual(f.inputs, want) {
		t.Errorf("inputs %v, want %v", f.inputs, want)
	}
	if want := map[string][]any{"y": {"N", 2}, "rows": {1, nil}}; !reflect.DeepEqual(f.outputs, want) {
		t.Errorf("outputs %v, want %v", f.outputs, want)
	}
	want := []node{
		{"y", "Add", []string{"x", "p"}, []string{"y"}, map[string]any{}},
		{"rows", "Reshape", []string{"y", "rows/shape"}, []string{"rows"}, map[string]any{}},
	}
	if !reflect.DeepEqual(f.nodes, want) {
		t.Errorf("nodes %v, want %v", f.nodes, want)
	}
}

// What a convolution with everything inside comes apart into.
func TestConv(t *testing.T) {
	g := graph.New("conv")
	x, r := g.Input("x", 1, 2, 8, 8), g.Input("r", 1, 4, 4, 3)
	op := graph.Conv{Stride: [2]int{2, 3}, Dilation: [2]int{1, 2}, Pad: graph.Pad{Top: 1, Left: 2, Bottom: 0, Right: 3},
		Groups: 2, Bias: true, Residual: true, Act: graph.Activation{Func: graph.ReLU}}
	g.Output(g.Must("y", op, x, g.Param("w", 4, 1, 3, 3), g.Param("b", 4), r))
	f := write(t, g, zeros(g), onnx.Options{})
	want := []node{
		{"y/conv", "Conv", []string{"x", "w", "b"}, []string{"y/conv"}, map[string]any{
			"kernel_shape": []int{3, 3}, "strides": []int{2, 3}, "dilations": []int{1, 2}, "pads": []int{1, 2, 0, 3}, "group": []int{2}}},
		{"y/add", "Add", []string{"y/conv", "r"}, []string{"y/add"}, map[string]any{}},
		{"y", "Relu", []string{"y/add"}, []string{"y"}, map[string]any{}},
	}
	if !reflect.DeepEqual(f.nodes, want) {
		t.Errorf("got  %v\nwant %v", f.nodes, want)
	}
}

// Rounding up is written as padding: no window of a known picture is left to
// what a reader thinks that ceil_mode means.
func TestCeilPooling(t *testing.T) {
	for _, tc := range []struct {
		size, kernel, stride int
		pad                  int
		counted              bool
		zeros                []int // of a Pad operator before
		pads                 []int
	}{
		{size: 7, kernel: 2, stride: 2, pads: []int{0, 0, 1, 1}},
		{size: 8, kernel: 2, stride: 2, pads: []int{0, 0, 0, 0}},
		{size: 6, kernel: 3, stride: 2, pad: 1, pads: []int{1, 1, 2, 2}},
		{size: 6, kernel: 3, stride: 2, pad: 1, counted: true, zeros: []int{0, 0, 1, 1, 0, 0, 1, 1}, pads: []int{0, 0, 1, 1}},
		{size: 5, kernel: 2, stride: 4, pad: 0, pads: []int{0, 0, 1, 1}},
	} {
		t.Run(fmt.Sprintf("%+v", tc), func(t *testing.T) {
			g := graph.New("pool")
			p := graph.Pool{Kernel: [2]int{tc.kernel, tc.kernel}, Stride: [2]int{tc.stride, tc.stride}, Pad: graph.SamePad(tc.pad), CountPadding: tc.counted, Ceil: true}
			g.Output(g.Must("y", p, g.Input("x", 1, 1, tc.size, tc.size)))
			f := write(t, g, nil, onnx.Options{})
			pool := f.nodes[len(f.nodes)-1]
			if got := pool.attributes["pads"]; !reflect.DeepEqual(got, tc.pads) {
				t.Errorf("pads %v, want %v", got, tc.pads)
			}
			if got := f.ints["y/pads"]; !slices.Equal(got, tc.zeros) {
				t.Errorf("zeros added before: %v, want %v", got, tc.zeros)
			}
			if pool.attributes["ceil_mode"] != nil || pool.attributes["count_include_pad"] != nil {
				t.Errorf("attributes %v", pool.attributes)
			}
		})
	}
}

// Names that the graph has already are not used for what is between.
func TestNames(t *testing.T) {
	g := graph.New("names")
	x := g.Input("x", 2, 2)
	twice := g.Must("y/mul", graph.Affine{Scale: 2}, x)
	y := g.Must("y", graph.Affine{Scale: 2, Shift: 1}, twice)
	dropped := g.Must("dropped", graph.Dropout{P: 0.5}, y)
	g.Output(y, dropped, x, y)
	f := write(t, g, nil, onnx.Options{})
	var got []string
	for _, n := range f.nodes {
		got = append(got, n.op+" "+n.name)
	}
	want := []string{"Mul y/mul", "Mul y/mul_2", "Add y", "Identity dropped", "Identity x/output", "Identity y/output"}
	if !slices.Equal(got, want) {
		t.Errorf("nodes %v, want %v", got, want)
	}
	if want := []string{"y", "dropped", "x/output", "y/output"}; !slices.Equal(onnx.OutputNames(g), want) {
		t.Errorf("OutputNames: %v, want %v", onnx.OutputNames(g), want)
	}
	for _, name := range onnx.OutputNames(g) {
		if f.outputs[name] == nil {
			t.Errorf("the file has no output %s: %v", name, f.outputs)
		}
	}
}

func TestTooLarge(t *testing.T) {
	g := graph.New("large")
	p := g.Param("p", 1<<15, 1<<14+1) // 2 GiB and a little
	g.Output(g.Must("y", graph.Activate{}, p))
	w := graph.Weights{"p": {Type: tensor.Float32, Shape: p.Shape}} // nobody may look for the numbers
	err := onnx.Write(io.Discard, g, w, onnx.Options{})
	var size *onnx.SizeError
	if !errors.As(err, &size) || size.Bytes != 4*(1<<15)*(1<<14+1) {
		t.Errorf("error %v", err)
	}
}

func TestErrors(t *testing.T) {
	pool := graph.New("pool")
	pool.Output(pool.Must("y", graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{3, 3}, Ceil: true}, pool.Input("x", 1, 1, graph.Unknown, 8)))
	unnamed := graph.New("unnamed")
	unnamed.Output(unnamed.Must("", graph.Activate{}, unnamed.Input("x", 1)))
	linear := graph.New("linear")
	linear.Output(linear.Must("y", graph.Linear{}, linear.Input("x", 1, 2), linear.Param("w", 2, 3)))
	for _, tc := range []struct {
		g    *graph.Graph
		w    io.Writer
		want string
	}{
		{pool, io.Discard, "node y: pooling with ceil mode"},
		{unnamed, io.Discard, `"" is no name`},
		{linear, io.Discard, "w: absent, want [2, 3]"},
	} {
		if err := onnx.Write(tc.w, tc.g, nil, onnx.Options{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", tc.g.Name, err, tc.want)
		}
	}
	full := errors.New("the disk is full")
	if err := onnx.Write(failing{full}, linear, zeros(linear), onnx.Options{}); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Ends beyond the array and negative positions are ONNX's as well.
func TestSlice(t *testing.T) {
	g := graph.New("slice")
	op := graph.Slice{Axes: []int{1, 0}, Starts: []int{-2, 0}, Ends: []int{math.MaxInt, -1}}
	g.Output(g.Must("y", op, g.Input("x", 3, 4)))
	f := write(t, g, nil, onnx.Options{})
	want := map[string][]int{"y/axes": {1, 0}, "y/starts": {-2, 0}, "y/ends": {math.MaxInt64, -1}}
	if !reflect.DeepEqual(f.ints, want) {
		t.Errorf("constants %v, want %v", f.ints, want)
	}
}
