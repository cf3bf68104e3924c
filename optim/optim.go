// Package optim updates a network's parameters from their gradients, on the
// device where they live: Momentum, SGD, Adam and AdamW as Paddle defines them
// (python/paddle/optimizer).
//
// The arithmetic is in lists of tensors (libtorch's _foreach operators), one
// list for each pair of learning-rate factor and weight decay.
package optim

import (
	"context"
	"fmt"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// A Param is a parameter to be trained. Its tensor is Float32 or Float64, a
// leaf that requires a gradient.
type Param struct {
	Name   string
	Tensor torch.Tensor
	LRMult float64 // factor on the learning rate
	Decay  float64 // weight decay
}

// A Rule is how one step changes parameters.
type Rule interface {
	// slots names what the rule remembers of each parameter, in Paddle's words.
	slots() []string
	// update changes g's parameters by the gradients, which it may overwrite.
	// step counts updates from 1.
	update(s *torch.Scope, g group, grads []torch.Tensor, lr float64, step int)
}

// Options tunes an optimiser. The zero value changes nothing.
type Options struct {
	// ClipNorm bounds the norm of all gradients together (ClipGradByGlobalNorm):
	// they are scaled by ClipNorm / max(norm, ClipNorm) before decay is added.
	// 0: no bound.
	ClipNorm float64
}

// An Optimizer holds the state of training some parameters.
type Optimizer struct {
	session *torch.Session
	rule    Rule
	o       Options
	groups  []group
	leaves  []torch.Tensor // all parameters, group by group
	steps   int
}

// A group is the parameters of one learning-rate factor and decay.
type group struct {
	lrMult, decay float64
	names         []string
	params        []torch.Tensor
	state         map[string][]torch.Tensor // by slot, then as params
}

// New returns an optimiser whose state is zero. The caller closes it; the
// parameters stay the caller's.
func New(ctx context.Context, session *torch.Session, params []Param, rule Rule, o Options) (*Optimizer, error) {
	opt := &Optimizer{session: session, rule: rule, o: o, groups: grouped(params)}
	err := session.Do(ctx, func(s *torch.Scope) error {
		for i, g := range opt.groups {
			opt.groups[i].state = map[string][]torch.Tensor{}
			for _, slot := range rule.slots() {
				var zeros []torch.Tensor
				for _, p := range g.params {
					zeros = append(zeros, s.Call("aten::zeros_like", p, nil, nil, nil, nil, nil))
				}
				opt.groups[i].state[slot] = zeros
			}
			opt.leaves = append(opt.leaves, g.params...)
		}
		if s.Err() != nil {
			return nil
		}
		for _, g := range opt.groups {
			for _, tensors := range g.state {
				s.Keep(tensors...)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("optim: %w", err)
	}
	return opt, nil
}

func grouped(params []Param) []group {
	type key struct{ lrMult, decay float64 }
	index := map[key]int{}
	var groups []group
	for _, p := range params {
		k := key{p.LRMult, p.Decay}
		i, ok := index[k]
		if !ok {
			i = len(groups)
			index[k] = i
			groups = append(groups, group{lrMult: p.LRMult, decay: p.Decay})
		}
		groups[i].names = append(groups[i].names, p.Name)
		groups[i].params = append(groups[i].params, p.Tensor)
	}
	return groups
}

// Leaves are the parameters' tensors, in the order of the groups.
func (o *Optimizer) Leaves() []torch.Tensor { return o.leaves }

// Steps is how many updates there have been.
func (o *Optimizer) Steps() int { return o.steps }

// Update changes the parameters by grads, given in the order of Leaves and
// overwritten, at a learning rate. It returns the norm of all gradients
// together where it had to be computed, else 0.
func (o *Optimizer) Update(s *torch.Scope, grads []torch.Tensor, lr float64) (norm float64) {
	if o.o.ClipNorm > 0 {
		norm = Norm(s, grads)
		if norm > o.o.ClipNorm {
			s.Run("aten::_foreach_mul_.Scalar", grads, o.o.ClipNorm/norm)
		}
	}
	o.steps++
	for _, g := range o.groups {
		o.rule.update(s, g, grads[:len(g.params)], lr*g.lrMult, o.steps)
		grads = grads[len(g.params):]
	}
	return norm
}

// Norm is the Euclidean norm of all gradients together.
func Norm(s *torch.Scope, grads []torch.Tensor) float64 {
	norms := make([]torch.Tensor, len(grads))
	s.CallN("aten::_foreach_norm.Scalar", norms, grads, 2)
	total := s.Call("aten::norm.Scalar", s.Call("aten::stack", norms, 0), 2)
	d := s.Dense(total, tensor.Float32)
	s.Release(norms...)
	if d == nil {
		return 0
	}
	return float64(d.Float32s()[0])
}

// Close frees the state. It may be called twice.
func (o *Optimizer) Close() error {
	for _, g := range o.groups {
		for _, tensors := range g.state {
			o.session.Free(tensors...)
		}
	}
	o.groups = nil
	return nil
}
