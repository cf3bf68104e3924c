package optim

import (
	"math"

	"github.com/pptsn/pptsn/torch"
)

// Momentum is gradient descent with a velocity v, after g += decay w:
//
//	v = Mu v + g
//	w -= lr v                 or, with Nesterov,
//	w -= lr (g + Mu v)
type Momentum struct {
	Mu       float64
	Nesterov bool
}

// SGD is plain gradient descent: w -= lr (g + decay w).
type SGD struct{}

// Adam is Kingma and Ba's method (2015), after g += decay w:
//
//	m = Beta1 m + (1-Beta1) g
//	u = Beta2 u + (1-Beta2) g²
//	w -= lr m / (1-Beta1^t) / (sqrt(u / (1-Beta2^t)) + Epsilon)
//
// Decoupled (AdamW, Loshchilov and Hutter 2019) shrinks w by lr decay w first,
// and leaves g alone.
type Adam struct {
	Beta1, Beta2, Epsilon float64
	Decoupled             bool
}

// The slots, as Paddle names them.
const (
	velocity = "velocity"
	moment1  = "moment1"
	moment2  = "moment2"
)

func (Momentum) slots() []string { return []string{velocity} }
func (SGD) slots() []string      { return nil }
func (Adam) slots() []string     { return []string{moment1, moment2} }

func (m Momentum) update(s *torch.Scope, g group, grads []torch.Tensor, lr float64, _ int) {
	v := g.state[velocity]
	if m.fused(s, g) {
		s.Run("pptsn::momentum_", g.params, v, grads, lr, m.Mu, g.decay, m.Nesterov)
		return
	}
	g.addDecay(s, grads)
	s.Run("aten::_foreach_mul_.Scalar", v, m.Mu)
	s.Run("aten::_foreach_add_.List", v, grads, 1)
	if !m.Nesterov {
		s.Run("aten::_foreach_add_.List", g.params, v, -lr)
		return
	}
	s.Run("aten::_foreach_add_.List", grads, v, m.Mu)
	s.Run("aten::_foreach_add_.List", g.params, grads, -lr)
}

// fused says that the shim's own operator, which reads and writes memory once,
// can do it.
func (Momentum) fused(s *torch.Scope, g group) bool {
	return !s.Device().CUDA && s.DType(g.params[0]) == torch.Float32
}

func (SGD) update(s *torch.Scope, g group, grads []torch.Tensor, lr float64, _ int) {
	g.addDecay(s, grads)
	s.Run("aten::_foreach_add_.List", g.params, grads, -lr)
}

func (a Adam) update(s *torch.Scope, g group, grads []torch.Tensor, lr float64, step int) {
	if a.Decoupled {
		s.Run("aten::_foreach_mul_.Scalar", g.params, 1-lr*g.decay)
	} else {
		g.addDecay(s, grads)
	}
	m, u := g.state[moment1], g.state[moment2]
	s.Run("aten::_foreach_mul_.Scalar", m, a.Beta1)
	s.Run("aten::_foreach_add_.List", m, grads, 1-a.Beta1)
	s.Run("aten::_foreach_mul_.Scalar", u, a.Beta2)
	s.Run("aten::_foreach_addcmul_.Scalar", u, grads, grads, 1-a.Beta2)
	c1, c2 := 1-math.Pow(a.Beta1, float64(step)), 1-math.Pow(a.Beta2, float64(step))
	roots := make([]torch.Tensor, len(u))
	s.CallN("aten::_foreach_sqrt", roots, u)
	s.Run("aten::_foreach_mul_.Scalar", roots, 1/math.Sqrt(c2))
	s.Run("aten::_foreach_add_.Scalar", roots, a.Epsilon)
	s.Run("aten::_foreach_addcdiv_.Scalar", g.params, m, roots, -lr/c1)
	s.Release(roots...)
}

// addDecay makes the gradients those of the loss plus decay/2 |w|².
func (g group) addDecay(s *torch.Scope, grads []torch.Tensor) {
	if g.decay != 0 {
		s.Run("aten::_foreach_add_.List", grads, g.params, g.decay)
	}
}
