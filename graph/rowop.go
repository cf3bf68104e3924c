package graph

import "slices"

// rowOp returns the operation of a node as one on [rows, ...] operands, and
// whether each row of its result depends on the same row of its operands alone.
func (s *rowSplit) rowOp(n *Node) (Op, bool) {
	l := s.lead[n.In[0]]
	switch op := n.Op.(type) {
	case Conv:
		if op.Residual {
			last := len(n.In) - 1
			return op, l == 1 && s.lead[n.In[last]] == 1 && onlyParams(n.In[1:last])
		}
		return op, l == 1 && onlyParams(n.In[1:])
	case BatchNorm:
		return op, l == 1 && onlyParams(n.In[1:])
	case Pool:
		return op, l == 1
	case Activate, Affine, Dropout:
		return op, l > 0
	case FakeQuant:
		return op, l > 0 && len(op.Scales) == 1
	case Linear:
		return op, l > 0 && l < len(n.In[0].Shape) && onlyParams(n.In[1:])
	case Binary:
		return op, s.binaryInRows(n)
	case Concat:
		at, ok := rowAxes([]int{op.Axis}, l)
		return Concat{Axis: at[0]}, ok && s.sameRows(n.In)
	case Softmax:
		at, ok := rowAxes([]int{op.Axis}, l)
		return Softmax{Axis: at[0]}, ok
	case Mean:
		axes, ok := rowAxes(op.Axes, l)
		return Mean{Axes: axes, Keep: op.Keep}, ok
	case Slice:
		axes, ok := rowAxes(op.Axes, l)
		return Slice{Axes: axes, Starts: op.Starts, Ends: op.Ends}, ok
	case Reshape:
		to := leadOf(n.Out.Shape, s.rows)
		return Reshape{Shape: slices.Concat([]int{-1}, n.Out.Shape[to:])}, l > 0 && to > 0
	case Transpose:
		return transposeInRows(op, l)
	}
	return nil, false
}

func onlyParams(in []*Value) bool {
	return !slices.ContainsFunc(in, func(v *Value) bool { return !v.Param })
}

// rowAxes renumbers axes for values whose first l axes become one; ok is false
// if one of them belongs to the rows, or if there are no rows.
func rowAxes(axes []int, l int) (to []int, ok bool) {
	ok = l > 0
	for _, a := range axes {
		to = append(to, a-l+1)
		ok = ok && a >= l
	}
	return to, ok
}

// sameRows reports whether the operands have the same leading axes.
func (s *rowSplit) sameRows(in []*Value) bool {
	l := s.lead[in[0]]
	return l > 0 && !slices.ContainsFunc(in[1:], func(v *Value) bool {
		return s.lead[v] != l || !slices.Equal(v.Shape[:l], in[0].Shape[:l]) || len(v.Shape) != len(in[0].Shape)
	})
}

// binaryInRows holds for two operands in the same rows, and for one in rows
// and a parameter that is stretched over the rows.
func (s *rowSplit) binaryInRows(n *Node) bool {
	x, p := n.In[0], n.In[1]
	if x.Param {
		x, p = p, x
	}
	if !p.Param {
		return s.sameRows(n.In)
	}
	l := s.lead[x]
	over := len(p.Shape) - (len(x.Shape) - l) // axes of p that lie on the rows
	return l > 0 && (over <= 0 || over == 1 && p.Shape[0] == 1)
}

func transposeInRows(t Transpose, l int) (Op, bool) {
	if l == 0 {
		return nil, false
	}
	perm := []int{0}
	for i, a := range t.Perm {
		if i < l && a != i {
			return nil, false
		}
		if i >= l {
			perm = append(perm, a-l+1)
		}
	}
	return Transpose{Perm: perm}, true
}
