package onednn_test

import (
	"math"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

// firstLayers is a network whose first layers are computed row by row, before
// two convolutions that read the same.
func firstLayers(channels, size int, kernels []int, pool graph.Pool) *graph.Graph {
	g := graph.New("first")
	conv := func(name string, kernel, stride, out int, x *graph.Value) *graph.Value {
		op := graph.Conv{
			Stride: [2]int{stride, stride}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(kernel / 2), Groups: 1,
			Bias: true, Act: graph.Activation{Func: graph.ReLU},
		}
		return g.Must(name, op, x, g.Param(name+".w", out, x.Shape[1], kernel, kernel), g.Param(name+".b", out))
	}
	v := conv("stem", kernels[0], 2, 32, g.Input("x", graph.Unknown, channels, size, size+5))
	for i, k := range kernels[1:] {
		v = conv(string(rune('a'+i)), k, 1, 32*(i+1), v)
	}
	if pool.Max {
		v = g.Must("pool", pool, v)
	}
	g.Output(conv("left", 1, 1, 32, v))
	g.Output(conv("right", 1, 1, 32, v))
	return g
}

// spread makes the weights of each block of 32 channels larger than the last's.
func spread(w graph.Weights) {
	for _, d := range w {
		for i := range d.Float32s() {
			channel := i / tensor.Count(d.Shape[1:])
			d.Float32s()[i] *= float32(1 + 2*(channel/32))
		}
	}
}

// TestRows compares the first layers with the evaluator: on rows that fill no
// tile, on more threads than pictures, and on fewer.
func TestRows(t *testing.T) {
	requires(t, graph.INT8)
	three := graph.Pool{Max: true, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: graph.SamePad(1)}
	two := graph.Pool{Max: true, Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}}
	for _, tc := range []struct {
		name                           string
		channels, size, count, threads int
		kernels                        []int
		pool                           graph.Pool
	}{
		{"PP-TSN", 3, 61, 2, 2, []int{3, 3, 3}, three},
		{"TSN", 3, 30, 3, 2, []int{7}, three},
		{"no pooling", 3, 21, 1, 3, []int{3, 3}, graph.Pool{}},
		{"one channel", 1, 33, 2, 1, []int{5, 3}, two},
		{"two channels", 2, 18, 5, 4, []int{3, 1}, three},
		{"four channels", 4, 40, 1, 64, []int{4, 5, 3}, two},
		{"a pixel", 3, 2, 1, 2, []int{3, 3, 3}, three},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := firstLayers(tc.channels, tc.size, tc.kernels, tc.pool)
			w, in := randomWeights(g, 5), ramp(tc.count, tc.channels, tc.size, tc.size+5)
			spread(w)
			s := firstOfFloats(t, g, w, in)
			e := compile(t, g, w, onednn.Options{Threads: tc.threads, Precision: graph.INT8, Scales: s})
			compareOutputs(t, e, in, quantised(t, g, w, s, in), int8Tolerance)
			countOwn(t, e, in, "bytes", 3, " avx512_vnni ")
		})
	}
}

// The same where the processor has no bfloat16, and the first layer is of floats.
func TestRowsWithoutBFloat16(t *testing.T) {
	requires(t, graph.INT8)
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^(TestRows|TestRandomNetworks)$")
	c.Env = append(os.Environ(), "ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestFormerInputs runs on inputs of which the garbage collector takes the one
// before: no trace of it may be left.
func TestFormerInputs(t *testing.T) {
	requires(t, graph.INT8)
	g := firstLayers(3, 61, []int{3, 3}, graph.Pool{})
	w, in := randomWeights(g, 5), ramp(2, 3, 61, 66)
	e := compile(t, g, w, onednn.Options{Threads: 2, Precision: graph.INT8, Scales: firstOfFloats(t, g, w, in)})
	var stop atomic.Bool
	defer stop.Store(true)
	go func() {
		for !stop.Load() {
			runtime.GC()
		}
	}()
	for i := range 50 {
		if _, err := e.Run(t.Context(), tensor.New(tensor.Float32, 1+i%8, 3, 61, 66)); err != nil {
			t.Fatal(err)
		}
	}
}

// What reads first layers may make no picture of them.
func TestFirstLayersAsVector(t *testing.T) {
	requires(t, graph.INT8)
	g := firstLayers(3, 16, []int{3}, graph.Pool{Max: true, Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}})
	for _, n := range g.Nodes {
		if n.Out.Name == "pool" {
			g.Output(g.Must("mean", graph.Mean{Axes: []int{1, 2, 3}}, n.Out))
		}
	}
	w, in := randomWeights(g, 5), ramp(2, 3, 16, 21)
	compareBytes(t, g, w, firstOfFloats(t, g, w, in), in)
}

// Weights may be computed or given, of which nothing can be made beforehand.
func TestGivenWeights(t *testing.T) {
	g := graph.New("given")
	op := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Act: graph.Activation{Func: graph.ReLU}}
	v := g.Must("stem", op, g.Input("x", 1, 3, 8, 8), g.Input("k", 32, 3, 3, 3))
	g.Output(g.Must("two", op, v, g.Param("two.w", 32, 32, 1, 1)))
	w, in := randomWeights(g, 1), []*tensor.Dense{ramp(1, 3, 8, 8), ramp(32, 3, 3, 3)}
	want, err := graph.Eval(g, w, in...)
	if err != nil {
		t.Fatal(err)
	}
	for p, tol := range map[graph.Precision]float64{graph.FP32: 1e-5, graph.BF16: bfloat16Tolerance, graph.INT8: 0.05} {
		t.Run(p.String(), func(t *testing.T) {
			requires(t, p)
			o := onednn.Options{Threads: 2, Precision: p}
			if p == graph.INT8 {
				o.Scales = graph.Scales{"stem": {Scale: 0.05}}
			}
			got, err := compile(t, g, w, o).Run(t.Context(), in...)
			if err == nil {
				err = graphtest.Compare(got[0], want[0], tol)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLargeBias is of a channel whose weights are next to nothing: in their scale its
// bias is more than 32 bits hold beside the products.
func TestLargeBias(t *testing.T) {
	requires(t, graph.INT8)
	g := firstLayers(3, 16, []int{3, 1}, graph.Pool{})
	w, in := randomWeights(g, 5), ramp(2, 3, 16, 21)
	largest := float32(0)
	for _, v := range w["left.w"].Float32s() {
		largest = max(largest, float32(math.Abs(float64(v))))
	}
	for i := range 32 {
		w["left.w"].Float32s()[i] = largest / (1 << 14)
	}
	w["left.b"].Float32s()[0] = 20 * largest
	compareBytes(t, g, w, firstOfFloats(t, g, w, in), in)
}
