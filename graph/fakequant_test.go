package graph_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// Rounding is to the nearest step, from the middle to the even one, and cut off
// at the ends, as ONNX's QuantizeLinear has it.
func TestFakeQuant(t *testing.T) {
	for _, tc := range []struct {
		name  string
		op    graph.FakeQuant
		x     []float32
		shape []int
		want  []float32
	}{
		{"to even", graph.FakeQuant{Type: tensor.Int8, Scales: []float32{1}}, []float32{0.5, 1.5, 2.5, -0.5, -1.5, 0.49}, []int{6}, []float32{0, 2, 2, 0, -2, 0}},
		{"signed ends", graph.FakeQuant{Type: tensor.Int8, Scales: []float32{0.5}}, []float32{100, -100, 63.5, -64}, []int{4}, []float32{63.5, -64, 63.5, -64}},
		{"unsigned ends", graph.FakeQuant{Type: tensor.Uint8, Scales: []float32{2}}, []float32{-1, 3.1, 509, 1000}, []int{4}, []float32{0, 4, 508, 510}},
		{"a scale a channel", graph.FakeQuant{Type: tensor.Int8, Scales: []float32{1, 10}}, []float32{4.4, 127.4, 4.4, 127.4}, []int{2, 2}, []float32{4, 127, 0, 130}},
		{"wide", graph.FakeQuant{Type: tensor.Int32, Scales: []float32{0.25}}, []float32{1000.1, -1000.2}, []int{2}, []float32{1000, -1000.25}},
	} {
		out, err := graph.EvalNode(tc.op, tensor.FromFloat32(tc.x, tc.shape...))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(out.Float32s(), tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, out.Float32s(), tc.want)
		}
	}
}

// pooled is two convolutions with a pool and a residual between them.
func pooled() (*graph.Graph, graph.Weights) {
	g, conv := graph.New("pooled"), graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Bias: true}
	a := g.Must("a", conv, g.Input("x", 1, 1, 2, 2), g.Param("wa", 1, 1, 1, 1), g.Param("ba", 1))
	p := g.Must("p", graph.Pool{Max: true, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}}, a)
	residual := conv
	residual.Residual = true
	g.Output(g.Must("b", residual, p, g.Param("wb", 1, 1, 1, 1), g.Param("bb", 1), a))
	return g, graph.Weights{
		"wa": tensor.FromFloat32([]float32{1}, 1, 1, 1, 1), "ba": tensor.FromFloat32([]float32{0}, 1),
		"wb": tensor.FromFloat32([]float32{2.54}, 1, 1, 1, 1), "bb": tensor.FromFloat32([]float32{0.013}, 1),
	}
}

// By hand: a is held in steps of 1; weights become 127 steps of 0.02 and the bias
// 1 step of 0.02, unless it is left as it is. What is added is rounded too.
func TestQuantizeResidual(t *testing.T) {
	g, w := pooled()
	s := graph.Scales{"a": {Scale: 1}, "p": {Scale: 1}}
	x := tensor.FromFloat32([]float32{-3, 0.6, 1.4, 300}, 1, 1, 2, 2)
	for _, tc := range []struct {
		options graph.QuantizeOptions
		want    []float32
	}{
		{graph.QuantizeOptions{}, []float32{0.02, 3.56, 3.56, 902.72}},
		{graph.QuantizeOptions{FloatBias: true}, []float32{0.013, 3.553, 3.553, 902.713}},
	} {
		q, err := graph.Quantize(g, w, s, tc.options)
		if err != nil {
			t.Fatal(err)
		}
		out, err := graph.Eval(q, w, x)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range out[0].Float32s() {
			if math.Abs(float64(got-tc.want[i])) > 1e-4 {
				t.Errorf("%+v: %v, want %v", tc.options, out[0].Float32s(), tc.want)
				break
			}
		}
	}
}

func TestQuantizeRefuses(t *testing.T) {
	g, w := pooled()
	for name, tc := range map[string]struct {
		scales  graph.Scales
		weights graph.Weights
		want    string
	}{
		"other network":   {graph.Scales{"c": {Scale: 1}}, w, "for c, which"},
		"a parameter":     {graph.Scales{"wa": {Scale: 1}}, w, "for wa, which"},
		"zero":            {graph.Scales{"a": {}}, w, "scale 0 of a"},
		"below zero":      {graph.Scales{"a": {Scale: -1}}, w, "scale -1 of a"},
		"infinite":        {graph.Scales{"a": {Scale: float32(math.Inf(1))}}, w, "of a"},
		"not a number":    {graph.Scales{"a": {Scale: float32(math.NaN())}}, w, "of a"},
		"without weights": {graph.Scales{"a": {Scale: 1}}, nil, "wa"},
	} {
		if _, err := graph.Quantize(g, tc.weights, tc.scales, graph.QuantizeOptions{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
	}
}

func TestInInt8(t *testing.T) {
	g, _ := pooled()
	var integers []string
	s := graph.Scales{"a": {Scale: 1}, "p": {Scale: 1}, "wa": {Scale: 1}}
	for _, n := range g.Nodes {
		if s.InInt8(n) {
			integers = append(integers, n.Out.Name)
		}
	}
	if !slices.Equal(integers, []string{"b"}) {
		t.Errorf("%v multiply integers, want b: a reads the input, p is no convolution", integers)
	}
}

// The range stays: 255 steps of 1 become 127 of 255/127.
func TestAllSigned(t *testing.T) {
	s := graph.Scales{"u": {Scale: 1}, "s": {Scale: 3, Signed: true}}.AllSigned()
	if u := s["u"]; !u.Signed || math.Abs(float64(u.Scale)*127-255) > 1e-4 || s["s"] != (graph.Int8{Scale: 3, Signed: true}) {
		t.Errorf("%v", s)
	}
	if s["u"].Type() != tensor.Int8 || (graph.Int8{}).Type() != tensor.Uint8 {
		t.Error("types of integers")
	}
}

func TestChannelScales(t *testing.T) {
	got := graph.ChannelScales(tensor.FromFloat32([]float32{1, -127, 0, 0, 12.7, 3}, 3, 2, 1, 1))
	if want := []float32{1, 1. / (1 << 14), 0.1}; !slices.Equal(got, want) { // a dead channel has a scale fine enough for its bias
		t.Errorf("%v, want %v", got, want)
	}
}
