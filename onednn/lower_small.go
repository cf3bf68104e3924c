package onednn

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// lowerSmallConv lowers a convolution of bfloat16 or 8-bit integers, on pictures
// whose channels lie together.
func (l *lowering) lowerSmallConv(n *graph.Node, c graph.Conv, t dtype) error {
	if p, ok := l.pointwise(n, c, t); ok {
		return l.lowerPointwise(p)
	}
	if to, ok := l.pointwise16(n, c, t); ok {
		return l.lowerPointwise16(n, c, to)
	}
	x, w := n.In[0], n.In[1]
	grouped := groupedDims(w.Shape, c.Groups)
	to, scale := l.arith.held(n)
	weightType, q := t, (*scaling)(nil)
	if t != bfloat16s {
		weightType, q = int8s, &scaling{src: l.arith.scales[x.Name].Scale, dst: cmp.Or(scale, 1), weights: graph.ChannelScales(l.weights.plain[w.Name])}
	}
	var biasDesc desc
	if c.Bias {
		biasDesc = l.plain(n.In[2])
	}
	p, err := l.convolution(c, l.tmp.channelsLast(x.Shape, t), l.tmp.open(grouped, weightType), biasDesc,
		l.tmp.channelsLast(n.Out.Shape, to), l.smallPost(n, c, to, q), q)
	if err != nil {
		return err
	}
	src, err := l.inLayout(x, p.source(l.tmp))
	if err != nil {
		return err
	}
	args := []arg{{argSource, src}}
	if args, err = l.smallParams(args, n, grouped, p, q); err != nil {
		return err
	}
	dst, err := l.destination(n, c, place{desc: p.dest(l.tmp), scale: scale}, args)
	if err != nil {
		return err
	}
	l.emit(n, p, append(args, arg{argDest, dst})...)
	return nil
}

// smallPost adds the residual, as the integers that it is held in, and applies
// the activation.
func (l *lowering) smallPost(n *graph.Node, c graph.Conv, to dtype, q *scaling) []postOp {
	post := activation(c.Act)
	if !c.Residual {
		return post
	}
	sum := postOp{sum: true, held: ownType, scale: 1}
	if q != nil && to != float32s {
		r := l.arith.scales[n.In[len(n.In)-1].Name]
		sum.held, sum.scale = integers(r), q.sum(r.Scale)
	}
	return slices.Concat([]postOp{sum}, post)
}

// smallParams appends weights and bias to the operands, rounded where q asks.
func (l *lowering) smallParams(args []arg, n *graph.Node, grouped []int, p primitive, q *scaling) ([]arg, error) {
	w, from := n.In[1], l.tmp.plain(grouped) // of smaller numbers, made of the parameter
	var err error
	var weights, bias place
	if q == nil {
		weights, err = l.made(w, from.as(l.tmp, bfloat16s), p.weights(l.tmp), bfloat16sOf)
	} else {
		weights, err = l.made(w, from.as(l.tmp, int8s), p.weights(l.tmp), int8sOf)
	}
	if err != nil {
		return nil, err
	}
	args = append(args, arg{argWeights, weights})
	if !n.Op.(graph.Conv).Bias {
		return args, nil
	}
	if q == nil {
		bias, err = l.inLayout(n.In[2], l.plain(n.In[2]))
	} else {
		bias, err = l.roundedBias(n, q)
	}
	return append(args, arg{argBias, bias}), err
}

// made is a parameter of which other numbers were made.
func (l *lowering) made(w *graph.Value, from, want desc, of func(*tensor.Dense) *tensor.Dense) (place, error) {
	mem, err := l.weights.get(w.Name, from, want, of)
	return place{desc: want, fixed: &mem}, err
}

// int8sOf are weights as multiples of their channels' scales.
func int8sOf(w *tensor.Dense) *tensor.Dense {
	d := tensor.New(tensor.Int8, w.Shape...)
	for i, v := range (graph.FakeQuant{Type: tensor.Int8, Scales: graph.ChannelScales(w)}).Quantized(w) {
		d.Data[i] = byte(int8(v))
	}
	return d
}

// bfloat16sOf are weights rounded to the nearest bfloat16, ties to even.
func bfloat16sOf(w *tensor.Dense) *tensor.Dense {
	d := tensor.New(tensor.BFloat16, w.Shape...)
	for i, v := range w.Float32s() {
		binary.LittleEndian.PutUint16(d.Data[2*i:], bfloat16(v))
	}
	return d
}

func bfloat16(v float32) uint16 {
	b := math.Float32bits(v)
	if v == v { // no NaN, which must stay one
		b += 0x7fff + b>>16&1
	}
	return uint16(b >> 16)
}

// roundedBias is a bias rounded to the scales of the products, which differ
// from one convolution that reads it to the next.
func (l *lowering) roundedBias(n *graph.Node, q *scaling) (place, error) {
	r := graph.IntegerConv(n, graph.Weights{n.In[1].Name: l.weights.plain[n.In[1].Name]}, l.arith.scales)
	given := l.constant(argBias, q.bias(r.Bias.Quantized(l.weights.plain[n.In[2].Name]))...)
	return place{desc: l.plain(n.In[2]), fixed: &given.mem}, nil
}
