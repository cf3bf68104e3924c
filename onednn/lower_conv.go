package onednn

import (
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// wholeBlocks reports whether vectors hold 16 numbers and all convolutions have
// multiples of 16 channels, but for a first one on up to 3 channels. Pictures
// in blocks of 16 channels are then faster than what oneDNN 2.6 and 3.6 choose
// by themselves, channels last: ResNet50-vd by 4 % (Zen 4, 2 threads).
func wholeBlocks(g *graph.Graph) bool {
	return vectorsOf16() && !slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool {
		_, conv := n.Op.(graph.Conv)
		return conv && !(inBlocks(n.Out) && (inBlocks(n.In[0]) || n.In[0].Shape[1] <= 3))
	})
}

func inBlocks(v *graph.Value) bool { return v.Shape[1]%16 == 0 }

// block is a picture's layout in blocks, plain for less than one.
func (l *lowering) block(v *graph.Value) desc {
	if inBlocks(v) {
		return l.tmp.blocked(v.Shape, float32s)
	}
	return l.plain(v)
}

// convolutionOf makes the primitive for blocks of channels where there is a
// good one, else for the layouts that oneDNN prefers.
func (l *lowering) convolutionOf(n *graph.Node, c graph.Conv, weights, bias desc) (primitive, error) {
	post := activation(c.Act)
	if c.Residual {
		post = slices.Concat([]postOp{{sum: true, held: ownType, scale: 1}}, post)
	}
	x, y := n.In[0], n.Out
	if l.blocks {
		if p, err := l.convolution(c, l.block(x), weights, bias, l.block(y), post, nil); err == nil && p.generated() {
			return p, nil
		}
	}
	return l.convolution(c, l.open(x), weights, bias, l.open(y), post, nil)
}

// lowerConv leaves the layouts of all operands to the primitive; sum and
// activation are done before the result is stored.
func (l *lowering) lowerConv(n *graph.Node, c graph.Conv) error {
	if t, ok := l.arith.low(n); ok {
		return l.lowerSmallConv(n, c, t)
	}
	if c, r := l.rows(n); c != nil {
		return l.lowerRows(c, r)
	}
	x, w, rest := n.In[0], n.In[1], n.In[2:]
	grouped := groupedDims(w.Shape, c.Groups)
	var biasDesc desc
	if c.Bias {
		biasDesc = l.plain(rest[0])
	}
	p, err := l.convolutionOf(n, c, l.tmp.open(grouped, float32s), biasDesc)
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
	dst, err := l.destination(n, c, place{desc: p.dest(l.tmp)}, args)
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
func (l *lowering) destination(n *graph.Node, c graph.Conv, want place, args []arg) (place, error) {
	if !c.Residual {
		at := l.room(want.desc)
		at.scale = want.scale
		l.settle(n.Out, at)
		return at, nil
	}
	v := n.In[len(n.In)-1]
	r, err := l.inLayout(v, l.residual(v, want.desc))
	if err != nil {
		return r, err
	}
	alsoRead := slices.ContainsFunc(args, func(a arg) bool { return a.at.buf == r.buf })
	at := place{buf: r.buf, desc: want.desc, scale: want.scale, offset: r.offset}
	if !l.dies(r.buf) || alsoRead {
		held := l.room(r.desc)
		held.scale = r.scale
		if err := l.copy(n, r, held); err != nil {
			return held, err
		}
		at.buf, at.offset = held.buf, held.offset
	}
	l.settle(n.Out, at)
	return at, nil
}

// residual is how a value must lie to be added to a result that lies as d:
// integers may have another sign.
func (l *lowering) residual(v *graph.Value, d desc) desc {
	if t := d.dtype(); t == int8s || t == uint8s {
		return d.as(l.tmp, integers(l.arith.scales[v.Name]))
	}
	return d
}
