package torch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// dropped are random numbers as training uses them: which of 64 features are
// dropped.
func dropped(s *torch.Scope) []float32 {
	ones := s.Call("aten::ones_like", s.From(tensor.New(tensor.Float32, 64)), nil, nil, nil, nil, nil)
	return s.Float32s(s.Call("aten::dropout", ones, 0.5, true))
}

func TestSeed(t *testing.T) {
	do(t, func(s *torch.Scope) {
		draw := func(seed uint64) []float32 {
			s.Seed(seed)
			return dropped(s)
		}
		first := draw(1)
		if slices.Equal(first, dropped(s)) {
			t.Error("the same features are dropped twice in a row")
		}
		if slices.Equal(first, draw(2)) {
			t.Error("another seed drops the same features")
		}
		if !slices.Equal(first, draw(1)) {
			t.Error("the same seed drops other features")
		}
		const large = 1<<64 - 1
		if !slices.Equal(draw(large), draw(large)) {
			t.Error("the largest seed drops other features each time")
		}
		if n := count(first, 0); n == 0 || n == 64 || count(first, 2) != 64-n {
			t.Errorf("dropout of ones: %v, want zeros and twos", first)
		}
	})
}

func count(v []float32, x float32) (n int) {
	for _, y := range v {
		if x == y {
			n++
		}
	}
	return n
}

// The state goes through a file: it is copied to the host and back.
func TestGeneratorRoundTrip(t *testing.T) {
	do(t, func(s *torch.Scope) {
		s.Seed(3)
		dropped(s) // somewhere within the sequence
		state := s.Dense(s.Generator(), tensor.Uint8)
		want := [][]float32{dropped(s), dropped(s)}
		s.Seed(4)
		s.SetGenerator(s.From(state))
		for i := range want {
			if got := dropped(s); !slices.Equal(got, want[i]) {
				t.Errorf("draw %d after the state was put back differs", i)
			}
		}
	})
}

// Outside of WithGrad nothing is recorded: a backward pass has nowhere to go.
func TestGradientsAreRecordedOnlyWithGrad(t *testing.T) {
	session := session(t)
	square := func(s *torch.Scope) (x, y torch.Tensor) {
		x = s.From(tensor.FromFloat32([]float32{3}, 1))
		s.RequireGrad(x)
		return x, s.Call("aten::sum", s.Call("aten::mul.Tensor", x, x), nil)
	}
	without := func(when string) {
		t.Helper()
		err := session.Do(t.Context(), func(s *torch.Scope) error {
			_, y := square(s)
			s.Backward(y)
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "does not require grad") {
			t.Errorf("%s: error of Backward is %v, want one that nothing was recorded", when, err)
		}
	}
	without("by default")
	err := session.Do(t.Context(), func(s *torch.Scope) error {
		var x, y torch.Tensor
		for i, want := range []float32{6, 6} {
			s.WithGrad(func() { x, y = square(s) })
			s.Backward(y)
			if g := s.Float32s(s.Grads([]torch.Tensor{x})[0]); !slices.Equal(g, []float32{want}) {
				t.Errorf("pass %d: d(x²)/dx at 3 is %v, want %v", i, g, want)
			}
		}
		s.DropGrads([]torch.Tensor{x})
		if !s.Grads([]torch.Tensor{x})[0].None() {
			t.Error("a gradient after DropGrads")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	without("after WithGrad")
}

// Gradients of several passes add up, as micro-batches need.
func TestGradientsAddUp(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x := s.From(tensor.FromFloat32([]float32{3}, 1))
		s.RequireGrad(x)
		for _, want := range []float32{6, 12, 18} {
			s.WithGrad(func() { s.Backward(s.Call("aten::sum", s.Call("aten::mul.Tensor", x, x), nil)) })
			if g := s.Float32s(s.Grads([]torch.Tensor{x})[0]); !slices.Equal(g, []float32{want}) {
				t.Errorf("gradient is %v, want %v", g, want)
			}
		}
	})
}

// Autocast computes convolutions and matrix products with 16 bits, sums and
// norms with 32, and ends with its function.
func TestAutocast(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x, w := s.From(tensor.New(tensor.Float32, 1, 4, 5, 5)), s.From(tensor.New(tensor.Float32, 8, 4, 3, 3))
		m := s.From(tensor.New(tensor.Float32, 4, 4))
		conv := func() torch.DType {
			return s.DType(s.Call("aten::conv2d", x, w, nil, []int{1, 1}, []int{1, 1}, []int{1, 1}, 1))
		}
		s.WithAutocast(torch.BFloat16, func() {
			if d := conv(); d != torch.BFloat16 {
				t.Errorf("convolution is %s", d)
			}
			if d := s.DType(s.Call("aten::linear", m, m, nil)); d != torch.BFloat16 {
				t.Errorf("matrix product is %s", d)
			}
			if d := s.DType(s.Call("aten::relu", x)); d != torch.Float32 {
				t.Errorf("relu of float32 is %s", d)
			}
		})
		if d := conv(); d != torch.Float32 {
			t.Errorf("convolution after WithAutocast is %s", d)
		}
	})
}

// Weights that changed since the last time are cast anew: none from a cache.
func TestAutocastSeesNewWeights(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x, w := s.From(tensor.FromFloat32([]float32{1}, 1, 1)), s.From(tensor.FromFloat32([]float32{1}, 1, 1))
		s.RequireGrad(w) // only casts of leaves are cached
		for _, want := range []float32{1, 2, 4} {
			var y torch.Tensor
			s.WithGrad(func() {
				s.WithAutocast(torch.BFloat16, func() { y = s.Call("aten::linear", x, w, nil) })
			})
			if got := s.Float32s(y); !slices.Equal(got, []float32{want}) {
				t.Errorf("product is %v, want %v", got, want)
			}
			s.Run("aten::add_.Tensor", w, w, 1)
		}
	})
}
