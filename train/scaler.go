package train

import (
	"math"

	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/torch"
)

// A Scaler is dynamic loss scaling (Micikevicius et al., "Mixed Precision
// Training", 2018): the loss is multiplied by Scale, so that small float16
// gradients do not vanish. Values are those that the reference gives to
// paddle.amp.GradScaler (paddlevideo/tasks/train.py).
type Scaler struct {
	Scale float64 `json:"scale"`
	Good  int     `json:"good"` // updates in a row without overflow
}

const (
	firstScale = 1 << 16
	growAfter  = 2000 // good updates
)

// NewScaler returns a scaler at its beginning.
func NewScaler() *Scaler { return &Scaler{Scale: firstScale} }

// unscale divides the gradients by Scale. ok is false if they overflowed: the
// update must be left out. Either way the scale is adjusted.
func (c *Scaler) unscale(s *torch.Scope, grads []torch.Tensor) (ok bool) {
	s.Run("aten::_foreach_mul_.Scalar", grads, 1/c.Scale)
	norm := optim.Norm(s, grads)
	ok = !math.IsNaN(norm) && !math.IsInf(norm, 0)
	c.adjust(ok)
	return ok
}

func (c *Scaler) adjust(ok bool) {
	if !ok {
		c.Scale, c.Good = max(c.Scale/2, 1), 0
		return
	}
	if c.Good++; c.Good == growAfter {
		c.Scale, c.Good = c.Scale*2, 0
	}
}
