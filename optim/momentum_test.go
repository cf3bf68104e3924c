package optim_test

import (
	"math/rand/v2"
	"testing"

	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// Momentum in float32, which the shim does in one pass on the CPU, gives what
// libtorch's list operators give in float64, also for a parameter that is laid
// out otherwise than its gradient.
func TestMomentumOnePass(t *testing.T) {
	session := start(t)
	shape := []int{64, 48, 5, 5}
	rng := rand.New(rand.NewPCG(2, 7))
	array := func() *tensor.Dense {
		d := tensor.New(tensor.Float32, shape...)
		for i, v := 0, d.Float32s(); i < len(v); i++ {
			v[i] = rng.Float32() - 0.5
		}
		return d
	}
	initial, grads := array(), []*tensor.Dense{array(), array(), array()}
	for _, nesterov := range []bool{false, true} {
		after := func(d torch.DType) (weights []float64) {
			var p torch.Tensor
			err := session.Do(t.Context(), func(s *torch.Scope) error {
				const channelsLast = 2 // c10::MemoryFormat
				p = s.Call("aten::contiguous", s.To(s.From(initial), d), channelsLast)
				s.Keep(p)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			defer session.Free(p)
			rule := optim.Momentum{Mu: 0.9, Nesterov: nesterov}
			o, err := optim.New(t.Context(), session, []optim.Param{{Name: "w", Tensor: p, LRMult: 2, Decay: 0.01}}, rule, optim.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			err = session.Do(t.Context(), func(s *torch.Scope) error {
				for _, g := range grads {
					o.Update(s, []torch.Tensor{s.To(s.From(g), d)}, 0.05)
				}
				weights = widened(s.Dense(p, tensor.Float32))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return weights
		}
		if e := relative(after(torch.Float32), after(torch.Float64)); e > 1e-6 {
			t.Errorf("nesterov %v: relative error %.2g", nesterov, e)
		}
	}
}
