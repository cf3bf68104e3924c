package onednn

import (
	"slices"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// lowerConv lets oneDNN choose the layouts of all operands; sum and activation
// are done before the result is stored.
func (l *lowering) lowerConv(n *graph.Node, c graph.Conv) error {
	x, w, rest := n.In[0], n.In[1], n.In[2:]
	grouped := groupedDims(w.Shape, c.Groups)
	post := activation(c.Act)
	if c.Residual {
		post = slices.Concat([]postOp{{sum: true}}, post)
	}
	var biasDesc desc
	if c.Bias {
		biasDesc = l.plain(rest[0])
	}
	p, err := l.convolution(c, l.open(x), l.tmp.open(grouped), biasDesc, l.open(n.Out), post)
	if err != nil {
		return err
	}
	src, err := l.inLayout(x, p.source(l.tmp))
	if err != nil {
		return err
	}
	weights, err := l.viewed(w, l.tmp.plain(grouped), p.weights(l.tmp))
	if err != nil {
		return err
	}
	args := []arg{{argSource, src}, {argWeights, weights}}
	if c.Bias {
		b, err := l.inLayout(rest[0], biasDesc)
		if err != nil {
			return err
		}
		args = append(args, arg{argBias, b})
	}
	dst, err := l.destination(n, c, p.dest(l.tmp), args)
	if err != nil {
		return err
	}
	l.emit(n, p, append(args, arg{argDest, dst})...)
	return nil
}

// groupedDims are the dimensions of [O, I/groups, KH, KW] as oneDNN wants them
// if there are groups: [groups, O/groups, I/groups, KH, KW].
func groupedDims(w []int, groups int) []int {
	if groups == 1 {
		return w
	}
	return slices.Concat([]int{groups, w[0] / groups}, w[1:])
}

// destination is where a convolution leaves its result. A residual to be added
// must lie there already: in its own buffer if nobody else needs that, else in
// a copy.
func (l *lowering) destination(n *graph.Node, c graph.Conv, d desc, args []arg) (place, error) {
	if !c.Residual {
		return l.result(n.Out, d), nil
	}
	v := n.In[len(n.In)-1]
	r, err := l.inLayout(v, d)
	if err != nil {
		return r, err
	}
	alsoRead := slices.ContainsFunc(args, func(a arg) bool { return a.at.buf == r.buf })
	if l.dies(r.buf) && !alsoRead {
		l.settle(n.Out, r)
		return r, nil
	}
	at := l.result(n.Out, d)
	return at, l.copy(n, r, at)
}

// lowerPool leaves the layout as it is. Windows that hang over the edge become
// windows over more padding; where that would change a mean's divisor there is
// no such primitive.
func (l *lowering) lowerPool(n *graph.Node, p graph.Pool) error {
	in, out, pad := n.In[0].Shape, n.Out.Shape, p.Pad
	pad.Bottom = max(pad.Bottom, (out[2]-1)*p.Stride[0]+p.Kernel[0]-in[2]-pad.Top)
	pad.Right = max(pad.Right, (out[3]-1)*p.Stride[1]+p.Kernel[1]-in[3]-pad.Left)
	if p.CountPadding && pad != p.Pad {
		return errUnimplemented
	}
	src, err := l.natural(n.In[0])
	if err != nil {
		return err
	}
	prim, err := l.pooling(p, src.desc, l.open(n.Out), pad)
	if err != nil {
		return err
	}
	l.emit(n, prim, arg{argSource, src}, arg{argDest, l.result(n.Out, prim.dest(l.tmp))})
	return nil
}

// lowerMean averages pictures by pooling, which any layout can do, and all
// else on plain memory.
func (l *lowering) lowerMean(n *graph.Node, m graph.Mean) error {
	x := n.In[0]
	kept := slices.Clone(x.Shape) // the result's dimensions with averaged axes kept
	for _, a := range m.Axes {
		kept[a] = 1
	}
	if slices.Equal(kept, x.Shape) {
		return l.lowerReshape(n)
	}
	if len(x.Shape) == 4 && kept[0] == x.Shape[0] && kept[1] == x.Shape[1] && kept[2] == 1 && kept[3] == 1 {
		return l.lowerPicturesMean(n, kept)
	}
	src, err := l.inLayout(x, l.plain(x))
	if err != nil {
		return err
	}
	to := l.tmp.plain(kept)
	p, err := l.mean(src.desc, to)
	if err != nil {
		return err
	}
	dst := l.result(n.Out, l.plain(n.Out))
	dst.desc = to
	l.emit(n, p, arg{argSource, src}, arg{argDest, dst})
	return nil
}

// lowerPicturesMean averages [N, C, H, W] over H and W.
func (l *lowering) lowerPicturesMean(n *graph.Node, kept []int) error {
	src, err := l.natural(n.In[0])
	if err != nil {
		return err
	}
	window := [2]int{n.In[0].Shape[2], n.In[0].Shape[3]}
	p, err := l.pooling(graph.Pool{Kernel: window, Stride: window}, src.desc, l.tmp.open(kept), graph.Pad{})
	if err != nil {
		return err
	}
	if len(n.Out.Shape) == 4 {
		l.emit(n, p, arg{argSource, src}, arg{argDest, l.result(n.Out, p.dest(l.tmp))})
		return nil
	}
	pooled := l.room(p.dest(l.tmp))
	l.emit(n, p, arg{argSource, src}, arg{argDest, pooled})
	dst := l.result(n.Out, l.plain(n.Out))
	dst.desc = l.tmp.plain(kept)
	return l.copy(n, pooled, dst)
}

// lowerLinear sees x as [M, I]; the result is plain.
func (l *lowering) lowerLinear(n *graph.Node, op graph.Linear) error {
	x, w := n.In[0], n.In[1]
	from, to := x.Shape[len(x.Shape)-1], n.Out.Shape[len(n.Out.Shape)-1]
	rows := tensor.Count(x.Shape) / from
	matrix, read := l.tmp.plain([]int{rows, from}), l.tmp.plain([]int{to, from})
	if !op.Transposed {
		read = l.tmp.strided([]int{to, from}, []int{1, to}) // oneDNN wants [O, I]
	}
	var biasDesc desc
	if op.Bias {
		biasDesc = l.plain(n.In[2])
	}
	p, err := l.innerProduct(matrix, l.tmp.open([]int{to, from}), biasDesc, l.tmp.plain([]int{rows, to}))
	if err != nil {
		return err
	}
	src, err := l.viewed(x, matrix, matrix)
	if err != nil {
		return err
	}
	weights, err := l.viewed(w, read, p.weights(l.tmp))
	if err != nil {
		return err
	}
	args := []arg{{argSource, src}, {argWeights, weights}}
	if op.Bias {
		b, err := l.inLayout(n.In[2], biasDesc)
		if err != nil {
			return err
		}
		args = append(args, arg{argBias, b})
	}
	dst := l.result(n.Out, l.plain(n.Out))
	dst.desc = p.dest(l.tmp)
	l.emit(n, p, append(args, arg{argDest, dst})...)
	return nil
}
