package onednn_test

import (
	"math"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

// TestMeanOfBytes looks through convolutions that change nothing at what a
// pooling reads and at what it makes of it: halves go to the even neighbour.
func TestMeanOfBytes(t *testing.T) {
	requires(t, graph.INT8)
	const channels, height, width = 32, 11, 14 // a last row that no window reads
	g := graph.New("means")
	conv := func(name string, out int, x *graph.Value) *graph.Value {
		op := graph.Conv{
			Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Act: graph.Activation{Func: graph.ReLU},
		}
		return g.Must(name, op, x, g.Param(name+".w", out, x.Shape[1], 1, 1))
	}
	stem := conv("stem", channels, g.Input("x", graph.Unknown, 3, height, width))
	pooled := g.Must("pool", graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}}, stem)
	g.Output(conv("before", channels, stem))
	g.Output(conv("after", channels, pooled))
	w, in := randomWeights(g, 7), ramp(3, 3, height, width)
	for _, name := range []string{"before.w", "after.w"} {
		w[name] = tensor.New(tensor.Float32, channels, channels, 1, 1)
		for i := range channels {
			w[name].Float32s()[i*channels+i] = 127 // in steps of 1
		}
	}
	s := firstOfFloats(t, g, w, in)
	s["pool"] = s["stem"]
	e := compile(t, g, w, onednn.Options{Threads: 2, Precision: graph.INT8, Scales: s})
	out, err := e.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	steps := func(d *tensor.Dense, i int) float64 {
		return math.Round(float64(d.Float32s()[i] / s["stem"].Scale / 127))
	}
	before, after := out[0], out[1]
	halves := 0
	for i := range after.Float32s() {
		plane, y, x := i/(height/2*(width/2)), i/(width/2)%(height/2), i%(width/2)
		at := (plane*height+2*y)*width + 2*x
		sum := steps(before, at) + steps(before, at+1) + steps(before, at+width) + steps(before, at+width+1)
		if math.Mod(sum, 4) == 2 {
			halves++
		}
		if got := steps(after, i); got != math.RoundToEven(sum/4) {
			t.Fatalf("at %d: a quarter of %g is %g", i, sum, got)
		}
	}
	if halves == 0 {
		t.Error("no sum lies between two integers")
	}
	countOwn(t, e, in, "bytes", 4, " avx512_vnni ")
}

// Means of other windows are not of our own, and as right.
func TestOtherMeans(t *testing.T) {
	requires(t, graph.INT8)
	two := [2]int{2, 2}
	for name, tc := range map[string]struct {
		channels int
		pool     graph.Pool
	}{
		"stride 1":          {32, graph.Pool{Kernel: two, Stride: [2]int{1, 1}}},
		"stride of columns": {32, graph.Pool{Kernel: two, Stride: [2]int{2, 1}}},
		"padding":           {32, graph.Pool{Kernel: two, Stride: two, Pad: graph.SamePad(1)}},
		"half windows":      {32, graph.Pool{Kernel: two, Stride: two, Ceil: true}},
		"3x3":               {32, graph.Pool{Kernel: [2]int{3, 3}, Stride: two}},
		"48 channels":       {48, graph.Pool{Kernel: two, Stride: two}},
	} {
		t.Run(name, func(t *testing.T) {
			g := graph.New("means")
			op := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Act: graph.Activation{Func: graph.ReLU}}
			stem := g.Must("stem", op, g.Input("x", graph.Unknown, 3, 9, 11), g.Param("stem.w", tc.channels, 3, 1, 1))
			pooled := g.Must("pool", tc.pool, stem)
			g.Output(g.Must("last", op, pooled, g.Param("last.w", 32, tc.channels, 1, 1)))
			g.Output(g.Must("beside", op, stem, g.Param("beside.w", 32, tc.channels, 1, 1)))
			w, in := randomWeights(g, 7), ramp(2, 3, 9, 11)
			s := firstOfFloats(t, g, w, in)
			s["pool"] = s["stem"]
			compareBytes(t, g, w, s, in)
		})
	}
}
