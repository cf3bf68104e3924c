package onednn_test

import (
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onednn"
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
			s := firstOfFloats(t, g, w, in)
			q, err := graph.Quantize(g, w, s, graph.QuantizeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			want, err := graph.Eval(q, w, in)
			if err != nil {
				t.Fatal(err)
			}
			e := compile(t, g, w, onednn.Options{Threads: tc.threads, Precision: graph.INT8, Scales: s})
			got, err := e.Run(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if err := graphtest.Compare(got[i], want[i], int8Tolerance); err != nil {
					t.Error(err)
				}
			}
			countOwn(t, e, in, "bytes", 3, " avx512_vnni ")
		})
	}
}
