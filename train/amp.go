package train

import (
	"context"
	"fmt"

	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/torch"
)

// A Level says how much is computed with 16 bits.
type Level string

// The levels, as the reference names them.
const (
	O1 Level = "O1" // convolutions and linear layers; weights stay float32
	O2 Level = "O2" // all but batch norms' parameters; float32 weights are kept beside for the update
)

// AMP is automatic mixed precision. The zero value is none.
type AMP struct {
	Level Level
	DType torch.DType // BFloat16 or Float16
}

func (a AMP) check(d torch.Device) error {
	switch {
	case a.Level == "":
		return nil
	case a.Level != O1 && a.Level != O2:
		return fmt.Errorf("train: mixed precision of level %q: want %s or %s", a.Level, O1, O2)
	case a.DType != torch.BFloat16 && a.DType != torch.Float16:
		return fmt.Errorf("train: mixed precision in %s: want bfloat16 or float16", a.DType)
	case a.DType == torch.Float16 && !d.CUDA:
		return fmt.Errorf("train: float16 needs a GPU, libtorch has no convolutions of it for the CPU: use --amp_dtype bfloat16")
	}
	return nil
}

// halfWeights are the 16-bit copies that level O2 computes with. Parameters of
// one axis (batch norms, biases) are not copied but used as they are.
type halfWeights struct {
	dtype  torch.DType
	leaves []torch.Tensor // in the optimiser's order: copies, and float32 parameters between
	copied []bool
	byName map[string]torch.Tensor
	own    []torch.Tensor
}

func newHalfWeights(ctx context.Context, session *torch.Session, leaves []torch.Tensor, params []optim.Param, d torch.DType) (*halfWeights, error) {
	h := &halfWeights{dtype: d, byName: map[string]torch.Tensor{}}
	names := map[torch.Tensor]string{}
	for _, p := range params {
		names[p.Tensor] = p.Name
	}
	err := session.Do(ctx, func(s *torch.Scope) error {
		for _, t := range leaves {
			wide := len(s.Shape(t)) > 1
			h.copied = append(h.copied, wide)
			if wide {
				t = s.Call("aten::detach", s.To(t, d))
				s.RequireGrad(t)
				h.own = append(h.own, t)
			}
			h.leaves = append(h.leaves, t)
		}
		for i, t := range leaves {
			if h.copied[i] {
				h.byName[names[t]] = h.leaves[i]
			}
		}
		if s.Err() == nil {
			s.Keep(h.own...)
		}
		return nil
	})
	if err != nil {
		return nil, err // the scope has freed the copies
	}
	return h, nil
}

// widen gives gradients as float32.
func (h *halfWeights) widen(s *torch.Scope, grads []torch.Tensor) []torch.Tensor {
	wide := make([]torch.Tensor, len(grads))
	for i, g := range grads {
		wide[i] = s.To(g, torch.Float32)
	}
	return wide
}

// refresh makes the copies anew from the float32 weights.
func (h *halfWeights) refresh(s *torch.Scope, weights []torch.Tensor) {
	for i, w := range weights {
		if h.copied[i] {
			s.Run("aten::copy_", h.leaves[i], w, false)
		}
	}
}

func (h *halfWeights) close(s *torch.Session) { s.Free(h.own...) }
