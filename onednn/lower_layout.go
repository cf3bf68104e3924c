package onednn

import (
	"github.com/pptsn/pptsn/graph"
)

// lowerReshape lets the result lie where the operand lies, in plain layout.
func (l *lowering) lowerReshape(n *graph.Node) error {
	x := n.In[0]
	if x.Param {
		return errUnimplemented
	}
	at, err := l.inLayout(x, l.plain(x))
	if err != nil {
		return err
	}
	at.desc = l.plain(n.Out)
	l.settle(n.Out, at)
	return nil
}

// lowerTranspose reads plain memory in another order.
func (l *lowering) lowerTranspose(n *graph.Node, op graph.Transpose) error {
	own, strides := rowMajor(n.In[0].Shape), make([]int, len(op.Perm))
	for i, a := range op.Perm {
		strides[i] = own[a]
	}
	return l.gather(n, strides, 0)
}

// lowerSlice reads a part of plain memory.
func (l *lowering) lowerSlice(n *graph.Node, op graph.Slice) error {
	shape := n.In[0].Shape
	strides, first := rowMajor(shape), 0
	for i, a := range op.Axes {
		from := op.Starts[i]
		if from < 0 {
			from += shape[a]
		}
		first += min(max(from, 0), shape[a]) * strides[a]
	}
	return l.gather(n, strides, first)
}

// gather copies the numbers at such strides of the operand's plain memory,
// counted from element first.
func (l *lowering) gather(n *graph.Node, strides []int, first int) error {
	x := n.In[0]
	if x.Param {
		return errUnimplemented
	}
	at, err := l.inLayout(x, l.plain(x))
	if err != nil {
		return err
	}
	at.desc = l.tmp.strided(n.Out.Shape, strides, float32s)
	at.offset += 4 * first
	return l.copy(n, at, l.result(n.Out, l.plain(n.Out)))
}

func (l *lowering) lowerConcat(n *graph.Node, op graph.Concat) error {
	descs, args := make([]desc, len(n.In)), make([]arg, len(n.In))
	for i, v := range n.In {
		at, err := l.natural(v)
		if err != nil {
			return err
		}
		descs[i], args[i] = at.desc, arg{argList + role(i), at}
	}
	p, err := l.concat(descs, l.open(n.Out), op.Axis)
	if err != nil {
		return err
	}
	l.emit(n, p, append(args, arg{argDest, l.result(n.Out, p.dest(l.tmp))})...)
	return nil
}
