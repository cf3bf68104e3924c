package onednn_test

import (
	"bytes"
	"math"
	"os"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

// residuals is a network of all that our own code on bytes computes: a first
// convolution with a kernel, then convolutions of 1x1 whose residuals and results
// are unsigned or signed bytes or, the last, floats.
func residuals(kernel, stride, size int) *graph.Graph {
	g := graph.New("residuals")
	relu := graph.Activation{Func: graph.ReLU}
	conv := func(name string, kernel, stride, out int, act graph.Activation, in ...*graph.Value) *graph.Value {
		op := graph.Conv{
			Stride: [2]int{stride, stride}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(kernel / 2), Groups: 1,
			Bias: true, Residual: len(in) == 2, Act: act,
		}
		operands := []*graph.Value{in[0], g.Param(name+".w", out, in[0].Shape[1], kernel, kernel), g.Param(name+".b", out)}
		return g.Must(name, op, append(operands, in[1:]...)...)
	}
	x := g.Input("x", graph.Unknown, 3, size, size)
	stem := conv("stem", kernel, stride, 64, relu, x)
	a := conv("a", 1, 1, 32, relu, stem)
	short := conv("short", 1, 1, 96, graph.Activation{}, stem)
	b := conv("b", 1, 1, 96, relu, a, short)
	c := conv("c", 1, 1, 96, relu, b, b)
	d := conv("d", 1, 1, 96, graph.Activation{}, c, b)
	e := conv("e", 1, 1, 96, graph.Activation{}, c, d)
	f := conv("f", 1, 1, 96, relu, c, e)
	g.Output(conv("last", 1, 1, 96, relu, f, f))
	return g
}

// TestBytes compares our own code with the evaluator, on pixels that fill no
// tile and on pictures that fill no row of tiles.
func TestBytes(t *testing.T) {
	requires(t, graph.INT8)
	for _, tc := range []struct {
		name                        string
		kernel, stride, size, count int
	}{
		{"stem of PP-TSN", 3, 2, 31, 2},
		{"stem of TSN", 7, 2, 30, 1},
		{"stride 1", 3, 1, 5, 3},
		{"one pixel", 3, 2, 2, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := residuals(tc.kernel, tc.stride, tc.size)
			w, in := randomWeights(g, 3), ramp(tc.count, 3, tc.size, tc.size)
			e := compareBytes(t, g, w, firstOfFloats(t, g, w, in), in)
			countOwn(t, e, in, "bytes", 9, " avx512_vnni ")
		})
	}
}

// firstOfFloats are scales that leave the first convolution, "stem", to floats.
// Input, weights and scale become such that bfloat16 holds all factors exactly.
func firstOfFloats(t *testing.T, g *graph.Graph, w graph.Weights, in *tensor.Dense) graph.Scales {
	t.Helper()
	for _, d := range []*tensor.Dense{in, w["stem.w"]} {
		for i, v := range d.Float32s() {
			d.Float32s()[i] = math.Float32frombits(math.Float32bits(v) &^ 0xffff)
		}
	}
	s, err := graphtest.Scales(g, w, in)
	if err != nil {
		t.Fatal(err)
	}
	delete(s, "x")
	old := s["stem"]
	stem := old
	stem.Scale = float32(math.Exp2(math.Ceil(math.Log2(float64(stem.Scale)))))
	for name := range s { // a pooling's result is held as what it reads
		if s[name] == old {
			s[name] = stem
		}
	}
	return s
}

func compareBytes(t *testing.T, g *graph.Graph, w graph.Weights, s graph.Scales, in *tensor.Dense) *onednn.Engine {
	t.Helper()
	e := compile(t, g, w, onednn.Options{Threads: 2, Precision: graph.INT8, Scales: s})
	compareOutputs(t, e, in, quantised(t, g, w, s, in), int8Tolerance)
	return e
}

// quantised is what the evaluator makes of an input in 8 bits.
func quantised(t *testing.T, g *graph.Graph, w graph.Weights, s graph.Scales, in *tensor.Dense) []*tensor.Dense {
	t.Helper()
	q, err := graph.Quantize(g, w, s, graph.QuantizeOptions{})
	if err != nil {
		t.Fatalf("%v: %v", g, err)
	}
	out, err := graph.Eval(q, w, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compareOutputs(t *testing.T, e *onednn.Engine, in *tensor.Dense, want []*tensor.Dense, tol float64) {
	t.Helper()
	got, err := e.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if err := graphtest.Compare(got[i], want[i], tol); err != nil {
			t.Errorf("output %d: %v", i, err)
		}
	}
}

// The same without a first convolution, which is oneDNN's, in bfloat16.
func TestBFloat16Pointwise(t *testing.T) {
	requires(t, graph.BF16)
	for _, size := range []int{2, 31} {
		g := residuals(3, 2, size)
		w, in := randomWeights(g, 3), ramp(2, 3, size, size)
		want, err := graph.Eval(g, w, in)
		if err != nil {
			t.Fatal(err)
		}
		e := compile(t, g, w, onednn.Options{Threads: 2, Precision: graph.BF16})
		compareOwn(t, e, in, want[0], bfloat16Tolerance)
		countOwn(t, e, in, "bfloat16", 8, " avx512_bf16 ")
	}
}

// A residual may be a parameter, which has no place among the results.
func TestParameterAsResidual(t *testing.T) {
	requires(t, graph.BF16)
	g := graph.New("constant")
	op := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Residual: true}
	g.Output(g.Must("y", op, g.Input("x", 1, 32, 3, 3), g.Param("w", 32, 32, 1, 1), g.Param("k", 1, 32, 3, 3)))
	w, in := randomWeights(g, 3), ramp(1, 32, 3, 3)
	want, err := graph.Eval(g, w, in)
	if err != nil {
		t.Fatal(err)
	}
	compareOwn(t, compile(t, g, w, onednn.Options{Threads: 64, Precision: graph.BF16}), in, want[0], bfloat16Tolerance)
}

func compareOwn(t *testing.T, e *onednn.Engine, in, want *tensor.Dense, tol float64) {
	t.Helper()
	got, err := e.Run(t.Context(), in)
	if err == nil {
		err = graphtest.Compare(got[0], want, tol)
	}
	if err != nil {
		t.Error(err)
	}
}

// countOwn reports layers that our code should compute and does not, on
// processors with these instructions.
func countOwn(t *testing.T, e *onednn.Engine, in *tensor.Dense, kernel string, want int, instructions string) {
	t.Helper()
	layers, _, err := e.Profile(t.Context(), 1, in.Shape)
	if err != nil {
		t.Fatal(err)
	}
	own := 0
	for _, l := range layers {
		if l.Kernel == kernel {
			own++
		}
	}
	info, _ := os.ReadFile("/proc/cpuinfo")
	if own != want && bytes.Contains(info, []byte(instructions)) {
		t.Errorf("%d of %d convolutions are our own: %+v", own, want, layers)
	}
}

// Of few pixels with many weights, threads share the outputs, if they can alike.
func TestOutputsShared(t *testing.T) {
	for _, p := range []graph.Precision{graph.INT8, graph.BF16} {
		t.Run(p.String(), func(t *testing.T) {
			requires(t, p)
			g := graph.New("wide")
			op := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Act: graph.Activation{Func: graph.ReLU}}
			v := g.Must("stem", op, g.Input("x", graph.Unknown, 3, 3, 5), g.Param("stem.w", 1024, 3, 1, 1))
			g.Output(g.Must("wide", op, v, g.Param("wide.w", 1024, 1024, 1, 1)))
			w, in := randomWeights(g, 3), ramp(2, 3, 3, 5)
			s, tol := graph.Scales(nil), bfloat16Tolerance
			want, err := graph.Eval(g, w, in)
			if err != nil {
				t.Fatal(err)
			}
			if p == graph.INT8 {
				s, tol = firstOfFloats(t, g, w, in), int8Tolerance
				want = quantised(t, g, w, s, in)
			}
			for _, threads := range []int{1, 2, 3, 4} {
				compareOutputs(t, compile(t, g, w, onednn.Options{Threads: threads, Precision: p, Scales: s}), in, want, tol)
			}
		})
	}
}
