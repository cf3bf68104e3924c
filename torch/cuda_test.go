package torch_test

import (
	"strings"
	"testing"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// A captured graph does its work on whatever its input holds then.
func TestCapture(t *testing.T) {
	d := device(t)
	session, err := torch.NewSession(torch.SessionOptions{Device: d})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	err = session.Do(t.Context(), func(s *torch.Scope) error {
		x := s.From(tensor.FromFloat32([]float32{1, 2, 3}, 3))
		y := s.Call("aten::zeros_like", x, nil, nil, nil, nil, nil)
		work := func() { s.Run("aten::copy_", y, s.Call("aten::mul.Scalar", x, 2.0), false) }
		work()
		g := s.Capture(work)
		if !d.CUDA {
			return nil
		}
		defer g.Close()
		s.Run("aten::fill_.Scalar", x, 5.0)
		s.Replay(g)
		s.Synchronize()
		if got := s.Float32s(y); s.Err() == nil && (got[0] != 10 || got[2] != 10) {
			t.Errorf("%v, want 10 everywhere", got)
		}
		return nil
	})
	if d.CUDA && err != nil {
		t.Error(err)
	}
	if !d.CUDA && (err == nil || !strings.Contains(err.Error(), "without CUDA")) {
		t.Errorf("on the CPU: %v, want an error that says there is no CUDA", err)
	}
}
