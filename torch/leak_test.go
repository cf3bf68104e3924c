package torch_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// blob is a small network for pictures of any size, to that many classes.
func blob(classes int) (*graph.Graph, graph.Weights) {
	g := graph.New("blob")
	w := graph.Weights{}
	param := func(name string, shape ...int) *graph.Value {
		w[name] = tensor.New(tensor.Float32, shape...)
		for i := range w[name].Float32s() {
			w[name].Float32s()[i] = float32(i%7+1) / 16
		}
		return g.Param(name, shape...)
	}
	conv := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(1), Groups: 1}
	x := g.Input("x", graph.Unknown, 3, graph.Unknown, graph.Unknown)
	x = g.Must("conv", conv, x, param("filter", 16, 3, 3, 3))
	x = g.Must("norm", graph.BatchNorm{Epsilon: 1e-5}, x, param("scale", 16), param("offset", 16), param("mean", 16), param("variance", 16))
	x = g.Must("relu", graph.Activate{Act: graph.Activation{Func: graph.ReLU}}, x)
	x = g.Must("pooled", graph.Mean{Axes: []int{2, 3}}, x)
	x = g.Must("drop", graph.Dropout{P: 0.4}, x)
	g.Output(g.Must("scores", graph.Linear{Bias: true}, x, param("matrix", 16, classes), param("bias", classes)))
	return g, w
}

// resident is the process's memory in use, in bytes.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	var kB int
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	if _, err := fmt.Sscan(string(rest), &kB); err != nil {
		t.Fatal(err)
	}
	return kB << 10
}

// grows fails the test if the memory in use grows by more than limit bytes
// while f runs, after it has run for a while.
func grows(t *testing.T, limit int, f func()) {
	t.Helper()
	f()
	f()
	before := resident(t)
	f()
	f()
	if after := resident(t); after-before > limit {
		t.Errorf("memory grew from %d to %d KiB, may by %d", before>>10, after>>10, limit>>10)
	} else {
		t.Logf("memory grew by %d KiB", (after-before)>>10)
	}
}

// Each size of picture has its own plan and kernels, of which only some are
// kept. A round's pictures are 14 MB, its results of convolution 75 MB.
func TestInferenceOfManyShapesDoesNotLeak(t *testing.T) {
	g, w := blob(4)
	e, err := torch.Compile(t.Context(), g, w, torch.EngineOptions{Session: torch.SessionOptions{Device: device(t), Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	grows(t, 12<<20, func() {
		for i := range 60 {
			if _, err := e.Run(t.Context(), tensor.New(tensor.Float32, 1+i%3, 3, 60+i, 180-i)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Forward and backward passes, 150 a round: to keep one result of each would
// take 38 MB, or to keep what a pass recorded for its backward pass 80.
func TestTrainingDoesNotLeak(t *testing.T) {
	g, w := blob(4)
	s, err := torch.NewSession(torch.SessionOptions{Device: device(t), Threads: 1}) // for speed: arrays are small
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n, err := torch.NewNetwork(t.Context(), s, g, w, torch.NetworkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	in := tensor.New(tensor.Float32, 4, 3, 32, 32)
	leaves := []torch.Tensor{n.Param("filter"), n.Param("scale"), n.Param("offset"), n.Param("matrix"), n.Param("bias")}
	step := func(s *torch.Scope) error {
		for _, l := range leaves {
			s.RequireGrad(l)
		}
		var loss torch.Tensor
		var stats []torch.BatchStats
		s.WithGrad(func() {
			y := n.Forward(s, torch.Pass{Training: true, Stats: &stats}, s.From(in))[0]
			loss = s.Call("aten::sum", y, nil)
		})
		s.Backward(loss)
		for i, g := range s.Grads(leaves) {
			s.Run("aten::add_.Tensor", leaves[i], g, -1e-3)
		}
		s.DropGrads(leaves)
		return nil
	}
	grows(t, 8<<20, func() {
		for range 150 {
			if err := s.Do(t.Context(), step); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Kept and freed tensors, calls that fail, sessions and networks that come and
// go: each round makes some thousand handles.
func TestHandlesDoNotLeak(t *testing.T) {
	g, w := blob(4)
	d := device(t)
	big := tensor.New(tensor.Float32, 1<<16)
	grows(t, 8<<20, func() {
		for range 60 {
			s, err := torch.NewSession(torch.SessionOptions{Device: d, Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			n, err := torch.NewNetwork(t.Context(), s, g, w, torch.NetworkOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var kept torch.Tensor
			err = s.Do(t.Context(), func(s *torch.Scope) error {
				kept = s.From(big)
				s.Keep(kept)
				for range 20 {
					s.Release(s.Call("aten::alias", kept))
				}
				var out [3]torch.Tensor
				s.CallN("aten::max.dim", out[:1], s.Call("aten::reshape", kept, []int{2, -1}), 1, false) // no room for all
				return nil
			})
			if err == nil {
				t.Fatal("no error of a call that must fail")
			}
			s.Free(kept)
			n.Close()
			s.Close()
		}
	})
}
