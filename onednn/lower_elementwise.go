package onednn

import (
	"slices"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// lowerFunctions applies functions of one number, one after another.
func (l *lowering) lowerFunctions(n *graph.Node, functions []postOp) error {
	if len(functions) == 0 {
		return l.lowerReshape(n)
	}
	src, err := l.natural(n.In[0])
	if err != nil {
		return err
	}
	p, err := l.eltwise(src.desc, functions)
	if err != nil {
		return err
	}
	l.emit(n, p, arg{argSource, src}, arg{argDest, l.result(n.Out, src.desc)})
	return nil
}

// lowerBinary takes the result's layout from the operand that has its shape.
// The other is brought into the same layout or, if it is stretched, is plain.
func (l *lowering) lowerBinary(n *graph.Node, op graph.Binary) error {
	a, b := n.In[0], n.In[1]
	if !slices.Equal(a.Shape, n.Out.Shape) && (op.Op == graph.Add || op.Op == graph.Mul) {
		a, b = b, a
	}
	if !slices.Equal(a.Shape, n.Out.Shape) {
		return errUnimplemented
	}
	first, err := l.natural(a)
	if err != nil {
		return err
	}
	second, err := l.besides(b, a, first.desc)
	if err != nil {
		return err
	}
	p, err := l.binary(op.Op, first.desc, second.desc, first.desc, activation(op.Act))
	if err != nil {
		return err
	}
	l.emit(n, p, arg{argSource, first}, arg{argSecond, second}, arg{argDest, l.result(n.Out, first.desc)})
	return nil
}

// besides is b as the second operand of an operation on a, which lies as d.
func (l *lowering) besides(b, a *graph.Value, d desc) (place, error) {
	if slices.Equal(b.Shape, a.Shape) {
		return l.inLayout(b, d)
	}
	ones := slices.Repeat([]int{1}, len(dims(a))-len(b.Shape))
	stretched := l.tmp.plain(slices.Concat(ones, b.Shape))
	return l.viewed(b, stretched, stretched)
}

func (l *lowering) lowerSoftmax(n *graph.Node, op graph.Softmax) error {
	src, err := l.natural(n.In[0])
	if err != nil {
		return err
	}
	p, err := l.softmax(src.desc, op.Axis)
	if err != nil {
		return err
	}
	l.emit(n, p, arg{argSource, src}, arg{argDest, l.result(n.Out, src.desc)})
	return nil
}

// lowerBatchNorm normalises pictures as they lie, and other shapes as plain
// [N, C, 1, rest].
func (l *lowering) lowerBatchNorm(n *graph.Node, op graph.BatchNorm) error {
	x := n.In[0]
	src, err := l.natural(x)
	if len(x.Shape) != 4 {
		d := l.tmp.plain([]int{x.Shape[0], x.Shape[1], 1, tensor.Count(x.Shape[2:])})
		src, err = l.viewed(x, d, d)
	}
	if err != nil {
		return err
	}
	p, err := l.batchNorm(src.desc, op.Epsilon)
	if err != nil {
		return err
	}
	args := []arg{{role: argSource, at: src}}
	for i, role := range []role{argScale, argShift, argMean, argVariance} {
		v := n.In[1+i]
		at, err := l.inLayout(v, l.plain(v))
		if err != nil {
			return err
		}
		args = append(args, arg{role, at})
	}
	dst := l.result(n.Out, src.desc)
	if len(x.Shape) != 4 {
		dst.desc = l.plain(n.Out)
		l.at[n.Out] = dst
		dst.desc = src.desc
	}
	l.emit(n, p, append(args, arg{argDest, dst})...)
	return nil
}
