package onednn

import (
	"slices"

	"github.com/pptsn/pptsn/graph"
)

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
	src, dst, err := l.poolOperands(n)
	if err != nil {
		return err
	}
	if code, w, ok := bytesPool(n, p); ok && dst.dtype() == uint8s {
		l.lowerBytesPool(n, code, w, src, dst)
		return nil
	}
	prim, err := l.pooling(p, src.desc, dst, pad)
	if err != nil {
		return err
	}
	at := l.room(prim.dest(l.tmp))
	at.scale = src.scale
	l.settle(n.Out, at)
	l.emit(n, prim, arg{argSource, src}, arg{argDest, at})
	return nil
}

// poolOperands are the pictures as they lie, and how the result shall lie: what
// is held small stays so, integers only if the result's are multiples of the same.
func (l *lowering) poolOperands(n *graph.Node) (src place, dst desc, err error) {
	x := n.In[0]
	t, small := l.arith.low(n)
	same := l.arith.scales[x.Name] == l.arith.scales[n.Out.Name]
	if small && same && l.at[x].desc.dtype() == t {
		return l.at[x], l.tmp.channelsLast(n.Out.Shape, t), nil
	}
	src, err = l.natural(x)
	return src, l.open(n.Out), err
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
	p, err := l.pooling(graph.Pool{Kernel: window, Stride: window}, src.desc, l.tmp.open(kept, float32s), graph.Pad{})
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
