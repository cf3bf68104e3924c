package torch_test

import (
	"math"
	"testing"
	"time"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// normed is a network with two batch norms, and its parameters that are trained.
func normed() (*graph.Graph, graph.Weights, []string) {
	g, w := graph.New("normed"), graph.Weights{}
	param := func(name string, phase, mean float64, shape ...int) *graph.Value {
		w[name] = wave(phase, 0.5, shape...)
		for i := range w[name].Float32s() {
			w[name].Float32s()[i] += float32(mean)
		}
		return g.Param(name, shape...)
	}
	conv := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(1), Groups: 1}
	x := g.Input("x", graph.Unknown, 3, graph.Unknown, graph.Unknown)
	for i, name := range []string{"a", "b"} {
		in := 3 + 3*i
		x = g.Must(name, conv, x, param(name+".filter", float64(i+1), 0, 6, in, 3, 3))
		x = g.Must(name+".norm", graph.BatchNorm{Epsilon: 1e-5}, x, param(name+".scale", 3, 1, 6), param(name+".offset", 4, 0, 6), param(name+".mean", 5, 0, 6), param(name+".variance", 6, 1, 6))
		x = g.Must(name+".relu", graph.Activate{Act: graph.Activation{Func: graph.ReLU}}, x)
	}
	x = g.Must("pooled", graph.Mean{Axes: []int{2, 3}}, x)
	g.Output(g.Must("scores", graph.Linear{Bias: true}, x, param("matrix", 7, 0, 6, 5), param("bias", 8, 0, 5)))
	return g, w, []string{"a.filter", "a.scale", "a.offset", "b.filter", "b.scale", "b.offset", "matrix", "bias"}
}

// A pass is what a network with batch norms gives.
type pass struct {
	scores []float32 // of clips, one after the other
	inputs []float32 // gradients
	params [][]float32
	stats  [][]float32 // means and variances
}

// normedPass computes clips from (inclusive) to (exclusive) of a batch whose pictures
// lie far from zero, which costs digits of a variance.
func normedPass(s *torch.Scope, n *torch.Network, names []string, p torch.Pass, d torch.DType, amp bool, from, to int) (out pass) {
	leaves := make([]torch.Tensor, len(names))
	for i, name := range names {
		leaves[i] = n.Param(name)
		s.RequireGrad(leaves[i])
	}
	x := s.Call("aten::slice.Tensor", s.To(s.From(wave(11, 1, clips, 3, 8, 6)), d), 0, from, to, 1)
	x = s.Call("aten::add.Scalar", x, 3.0, 1)
	s.RequireGrad(x)
	var stats []torch.BatchStats
	p.Training, p.Stats = true, &stats
	var y, loss torch.Tensor
	s.WithGrad(func() {
		run := func() { y = s.To(n.Forward(s, p, x)[0], d) }
		if amp {
			s.WithAutocast(torch.BFloat16, run)
		} else {
			run()
		}
		logp := s.Call("aten::log_softmax.int", y, 1, nil)
		loss = s.Call("aten::sum", s.Call("aten::slice.Tensor", logp, 1, 0, 1, 1), nil)
	})
	s.Backward(loss)
	grads := s.Grads(append(leaves, x))
	out.scores = s.Float32s(y)
	for _, g := range grads[:len(leaves)] {
		out.params = append(out.params, s.Float32s(g))
	}
	if g := grads[len(leaves)]; !g.None() { // a batch without clips has none
		out.inputs = s.Float32s(g)
	}
	for _, b := range stats {
		out.stats = append(out.stats, s.Float32s(b.BatchMean), s.Float32s(b.Variances(s)))
	}
	s.DropGrads(leaves)
	return out
}

// Scores, gradients and statistics over ranks, whose batches are of different
// sizes, are those of libtorch's own batch norm on the whole batch.
func TestSyncBatchNorm(t *testing.T) {
	for _, size := range []int{1, 2, 4} {
		processes(t, size, time.Minute, func(m *member) {
			begins := map[int][]int{1: {0, clips}, 2: {0, 3, clips}, 4: {0, 1, 1, 5, clips}}[m.size]
			for _, tc := range []struct {
				name       string
				dtype      torch.DType
				contiguous bool
				amp        bool
				tol        float64 // of the largest number of an array
			}{
				{name: "float64", dtype: torch.Float64, tol: 1e-6}, // compared as float32
				{name: "float32", dtype: torch.Float32, tol: 2e-4}, // gradients of a normalised filter are small differences
				{name: "float32, contiguous", dtype: torch.Float32, contiguous: true, tol: 2e-4},
				{name: "bfloat16", dtype: torch.Float32, amp: true, tol: 0.05},
			} {
				syncBatchNorm(m, tc.name, torch.NetworkOptions{DType: tc.dtype, Contiguous: tc.contiguous}, tc.amp, begins, tc.tol)
			}
		})
	}
}

func syncBatchNorm(m *member, name string, o torch.NetworkOptions, amp bool, begins []int, tol float64) {
	g, w, names := normed()
	n, err := torch.NewNetwork(m.Context(), m.session, g, w, o)
	if err != nil {
		m.Fatal(err)
	}
	defer n.Close()
	m.do(func(s *torch.Scope) {
		want := normedPass(s, n, names, torch.Pass{}, o.DType, amp, 0, clips)
		from, to := begins[m.rank], begins[m.rank+1]
		got := normedPass(s, n, names, torch.Pass{Sync: m.group}, o.DType, amp, from, to)
		if s.Err() != nil {
			return
		}
		sums := make([]torch.Tensor, len(got.params))
		for i, v := range got.params {
			sums[i] = s.From(tensor.FromFloat32(v, len(v)))
		}
		m.group.AllReduce(s, "gradients", sums)
		compare := func(what string, got, want []float32) {
			if len(got) != len(want) {
				m.Errorf("%s: %s: %d numbers, want %d", name, what, len(got), len(want))
				return
			}
			if d, i := furthest(got, want); d > tol*largest(want) || math.IsNaN(d) {
				m.Errorf("rank %d of %d: %s: %s: element %d is %v, of one process %v (largest %v)", m.rank, m.size, name, what, i, got[i], want[i], largest(want))
			}
		}
		row, picture := len(want.scores)/clips, len(want.inputs)/clips
		compare("scores", got.scores, want.scores[from*row:to*row])
		compare("gradients of the input", got.inputs, want.inputs[from*picture:to*picture])
		for i, sum := range sums {
			compare("gradients of "+names[i], s.Float32s(sum), want.params[i])
		}
		for i := range want.stats {
			compare("statistics", got.stats[i], want.stats[i])
		}
	})
}

// A rank that is gone is named by a batch norm's statistics too.
func TestSyncBatchNormFails(t *testing.T) {
	processes(t, 2, time.Second, func(m *member) {
		g, w, names := normed()
		n, err := torch.NewNetwork(m.Context(), m.session, g, w, torch.NetworkOptions{})
		if err != nil {
			m.Fatal(err)
		}
		defer n.Close()
		if m.rank == 1 {
			m.store.Get(m.Context(), over(0))
			return
		}
		defer m.store.Set(over(0), nil)
		err = m.session.Do(m.Context(), func(s *torch.Scope) error {
			normedPass(s, n, names, torch.Pass{Sync: m.group}, torch.Float32, false, 0, 2)
			return nil
		})
		isNamed(m, err, 1, "batch norm a.scale", "alive")
	})
}
