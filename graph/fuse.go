package graph

import (
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// fuseBias turns the addition of a parameter, one number a channel, into the
// bias of the convolution or linear layer before it.
func fuseBias(r *rewrite) error {
	return r.each(func(add *Node) error {
		b, ok := add.Op.(Binary)
		if !ok || b.Op != Add || b.Act.Func != Identity {
			return nil
		}
		x, p := add.In[0], add.In[1]
		if x.Param {
			x, p = p, x
		}
		n := r.producer(x)
		if !p.Param || n == nil || r.onlyReader(n.Out) != add || r.onlyReader(p) != add {
			return nil
		}
		switch op := n.Op.(type) {
		case Conv:
			if op.Bias || op.Residual || op.Act.Func != Identity || !perChannel(p.Shape, x.Shape, 1) {
				return nil
			}
			op.Bias = true
			n.Op = op
		case Linear:
			if op.Bias || !perChannel(p.Shape, x.Shape, len(x.Shape)-1) {
				return nil
			}
			op.Bias = true
			n.Op = op
		default:
			return nil
		}
		p.Shape = []int{tensor.Count(p.Shape)}
		r.w[p.Name] = r.w[p.Name].Reshape(p.Shape...)
		n.In = append(n.In, p)
		r.absorb(n, add)
		return nil
	})
}

// perChannel reports whether a parameter, broadcast onto x, has one number for
// each position of that axis.
func perChannel(p, x []int, axis int) bool {
	at := axis - (len(x) - len(p)) // that axis in the parameter
	if len(p) > len(x) || at < 0 || p[at] != x[axis] {
		return false
	}
	return tensor.Count(p) == x[axis]
}

// fuseSum lets a convolution add the other operand of the sum that reads it.
// Of two convolutions the one computed last is taken.
func fuseSum(r *rewrite) error {
	return r.each(func(sum *Node) error {
		b, ok := sum.Op.(Binary)
		if !ok || b.Op != Add || !slices.Equal(sum.In[0].Shape, sum.In[1].Shape) {
			return nil
		}
		i, j := 0, 1
		if slices.Index(r.g.Nodes, r.producer(sum.In[1])) > slices.Index(r.g.Nodes, r.producer(sum.In[0])) {
			i, j = 1, 0
		}
		if !r.fuseResidual(sum, sum.In[i], sum.In[j], b.Act) {
			r.fuseResidual(sum, sum.In[j], sum.In[i], b.Act)
		}
		return nil
	})
}

func (r *rewrite) fuseResidual(sum *Node, x, residual *Value, act Activation) bool {
	conv := r.producer(x)
	if conv == nil || residual.Param || r.onlyReader(x) != sum {
		return false
	}
	c, ok := conv.Op.(Conv)
	if !ok || c.Residual || c.Act.Func != Identity {
		return false
	}
	c.Residual, c.Act = true, act
	conv.Op, conv.In = c, append(conv.In, residual)
	r.absorb(conv, sum)
	return true
}

// fuseActivation lets a convolution or sum apply the activation that reads it.
func fuseActivation(r *rewrite) error {
	return r.each(func(act *Node) error {
		a, ok := act.Op.(Activate)
		if !ok {
			return nil
		}
		n := r.producer(act.In[0])
		if n == nil || r.onlyReader(n.Out) != act {
			return nil
		}
		switch op := n.Op.(type) {
		case Conv:
			if op.Act.Func != Identity {
				return nil
			}
			op.Act = a.Act
			n.Op = op
		case Binary:
			if op.Act.Func != Identity {
				return nil
			}
			op.Act = a.Act
			n.Op = op
		default:
			return nil
		}
		r.absorb(n, act)
		return nil
	})
}
