package graph

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/tensor"
)

// Each row says which operations work on rows alone and which join them.
var splits = []struct {
	name  string
	input []int
	rows  int
	make  func(g *Graph, x *Value) *Value
	body  string
	tail  string
}{
	{"views of videos meet in the mean", []int{2, 3, 2, 4, 4}, 6, func(g *Graph, x *Value) *Value {
		x = g.Must("views", Reshape{Shape: []int{-1, 2, 4, 4}}, x)
		x = g.Must("act", Activate{relu}, conv1x1(g, "conv", x, 4))
		x = g.Must("pool", Mean{Axes: []int{2, 3}, Keep: true}, x)
		x = g.Must("segments", Reshape{Shape: []int{-1, 3, 4}}, x)
		x = g.Must("consensus", Mean{Axes: []int{1}}, x)
		return g.Must("fc", Linear{}, x, g.Param("fc.w", 4, 5))
	}, "reshape conv relu mean reshape", "mean linear"},
	{"a classifier has no tail", []int{3, 2, 4, 4}, 3, func(g *Graph, x *Value) *Value {
		x = norm(g, "bn", g.Must("pool", Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}}, x))
		x = g.Must("flat", Reshape{Shape: []int{0, -1}}, x)
		return g.Must("probabilities", Softmax{Axis: 1}, g.Must("fc", Linear{}, x, g.Param("fc.w", 8, 3)))
	}, "avg_pool batch_norm reshape linear softmax", ""},
	{"softmax over videos joins them", []int{3, 2, 2, 2}, 3, func(g *Graph, x *Value) *Value {
		return g.Must("softmax", Softmax{Axis: 0}, conv1x1(g, "conv", x, 4))
	}, "conv", "softmax"},
	{"features [N, T, C] keep two leading axes", []int{2, 3, 2, 2, 2}, 6, func(g *Graph, x *Value) *Value {
		x = g.Must("flat", Reshape{Shape: []int{0, 0, 8}}, x)
		x = g.Must("fc", Linear{}, x, g.Param("fc.w", 8, 4))
		x = g.Must("first", Slice{Axes: []int{2}, Starts: []int{1}, Ends: []int{4}}, x)
		x = g.Must("twice", Concat{Axis: 2}, x, x)
		return g.Must("consensus", Mean{Axes: []int{1}}, x)
	}, "reshape linear slice concat", "mean"},
	{"a parameter may be stretched over rows", []int{2, 2, 2, 2}, 2, func(g *Graph, x *Value) *Value {
		x = g.Must("bias", Binary{Op: Add}, x, g.Param("b", 1, 2, 1, 1))
		return g.Must("swap", Transpose{Perm: []int{0, 2, 3, 1}}, g.Must("minus", Binary{Op: Sub}, g.Param("c", 2, 1, 1), x))
	}, "add sub transpose", ""},
	{"a parameter may not differ between rows", []int{2, 2, 2, 2}, 2, func(g *Graph, x *Value) *Value {
		return g.Must("bias", Binary{Op: Add}, conv1x1(g, "conv", x, 4), g.Param("b", 2, 1, 1, 1))
	}, "conv", "add"},
	{"shifted segments belong together", []int{4, 4, 2, 2}, 4, func(g *Graph, x *Value) *Value {
		x = g.Must("shift", TemporalShift{Segments: 2, Ratio: 0.25}, conv1x1(g, "conv", x, 8))
		return g.Must("act", Activate{relu}, x)
	}, "conv", "temporal_shift relu"},
	{"a sum with what is in other rows", []int{4, 2, 2, 2}, 4, func(g *Graph, x *Value) *Value {
		y := g.Must("swap", Transpose{Perm: []int{1, 0, 2, 3}}, x)
		y = g.Must("back", Reshape{Shape: []int{4, 2, 2, 2}}, y)
		return g.Must("sum", Binary{Op: Add}, conv1x1(g, "conv", x, 2), y)
	}, "conv", "transpose reshape add"},
	{"one row is not split", []int{1, 2, 4, 4}, 0, func(g *Graph, x *Value) *Value {
		return conv1x1(g, "conv", x, 4)
	}, "", "conv"},
}

func TestSplitRows(t *testing.T) {
	for _, tc := range splits {
		t.Run(tc.name, func(t *testing.T) {
			g := New("net")
			g.Output(tc.make(g, g.Input("x", tc.input...)))
			body, tail := SplitRows(g)
			if body == nil && tc.rows == 0 {
				return
			}
			if body == nil {
				t.Fatal("not split")
			}
			for _, part := range []*Graph{body, tail} {
				if err := part.Check(); err != nil {
					t.Fatal(err)
				}
			}
			if got := kinds(body); got != tc.body {
				t.Errorf("body is %q, want %q", got, tc.body)
			}
			if got := kinds(tail); got != tc.tail {
				t.Errorf("tail is %q, want %q", got, tc.tail)
			}
			rng := rand.New(rand.NewPCG(1, 2))
			w, in := randomWeights(g, rng), random(rng, tc.input...)
			want := mustEval(t, g, w, in)[0]
			rows := in.Reshape(slices.Concat([]int{tc.rows}, body.Inputs[0].Shape[1:])...)
			parts := []*tensor.Dense{joined(t, body, tail, w, rows)}
			if tail.Inputs[0].Name == "x" { // read by the tail too
				parts = []*tensor.Dense{in, parts[0]}
			}
			got, err := Eval(tail, w, parts...)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got[0].Data, want.Data) || !slices.Equal(got[0].Shape, want.Shape) {
				t.Errorf("%s in parts, %s at once, or other numbers", got[0], want)
			}
		})
	}
}

// joined runs the body on the first row and on the others, and returns the
// results as the tail's last input.
func joined(t *testing.T, body, tail *Graph, w Weights, rows *tensor.Dense) *tensor.Dense {
	last := tail.Inputs[len(tail.Inputs)-1]
	out := tensor.New(tensor.Float32, last.Shape...)
	rest, size := out.Data, len(rows.Data)/rows.Shape[0]
	for _, part := range [][2]int{{0, 1}, {1, rows.Shape[0]}} {
		shape := slices.Concat([]int{part[1] - part[0]}, rows.Shape[1:])
		in := &tensor.Dense{Type: tensor.Float32, Shape: shape, Data: rows.Data[part[0]*size : part[1]*size]}
		rest = rest[copy(rest, mustEval(t, body, w, in)[0].Data):]
	}
	if len(rest) > 0 {
		t.Fatalf("%d bytes of %s are missing", len(rest), out)
	}
	return out
}
