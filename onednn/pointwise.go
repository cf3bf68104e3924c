package onednn

// #include "pointwise.h"
// #include "shim.h"
// #include "steps.h"
import "C"

import (
	"cmp"
	"math"
	"unsafe"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// outputsAtOnce is what the number of output channels must be a multiple of.
const outputsAtOnce = 32

// A pointwise is a convolution of 1x1 pixels for which there is our own code on
// bytes.
type pointwise struct {
	n        *graph.Node
	op       graph.Conv
	to       dtype      // as what the result is kept
	scale    float32    // of the result; 0 for floats
	residual graph.Int8 // how the residual is held, if there is one
	sums     integerSums
}

// pointwise reports whether our code computes a convolution of numbers of type
// t.
func (l *lowering) pointwise(n *graph.Node, op graph.Conv, t dtype) (p pointwise, ok bool) {
	p = pointwise{n: n, op: op}
	p.to, p.scale = l.arith.held(n)
	w := n.In[1].Shape
	fits := t == uint8s && single(w, op) && w[0]%outputsAtOnce == 0 && w[1]%4 == 0 && w[1] <= C.NN_MOST_CHANNELS
	if op.Residual {
		r := n.In[len(n.In)-1]
		p.residual, ok = l.arith.scales[r.Name]
		fits = fits && ok && !r.Param
	}
	if !fits || !p.clamps() || !uses(C.dnnl_cpu_isa_avx512_core_vnni) {
		return p, false
	}
	p.sums = l.sums(n)
	return p, p.sums.bounded(p.residual.Scale / cmp.Or(p.scale, 1))
}

// integerSums are what a convolution of integers makes of its sums of products:
// bias is added, and factors turn them into multiples of the result's scale, or
// into floats.
type integerSums struct {
	terms   int // of each sum
	bias    []int32
	factors []float32
}

func (l *lowering) sums(n *graph.Node) integerSums {
	w := n.In[1]
	_, scale := l.arith.held(n)
	q := &scaling{src: l.arith.scales[n.In[0].Name].Scale, dst: cmp.Or(scale, 1), weights: graph.ChannelScales(l.weights.plain[w.Name])}
	s := integerSums{terms: tensor.Count(w.Shape[1:]), bias: make([]int32, w.Shape[0]), factors: q.factors()}
	if n.Op.(graph.Conv).Bias {
		r := graph.IntegerConv(n, l.weights.plain, l.arith.scales)
		for i, v := range r.Bias.Quantized(l.weights.plain[n.In[2].Name]) {
			s.bias[i] = int32(v)
		}
	}
	return s
}

// bounded reports whether sums, and results if residual times a byte is added, are
// within the 31 bits that additions and the conversion to integers bear.
func (s integerSums) bounded(residual float32) bool {
	for i, f := range s.factors {
		sum := 255*127*float64(s.terms) + math.Abs(float64(s.bias[i]))
		if result := sum*math.Abs(float64(f)) + 255*math.Abs(float64(residual)); max(sum, result) > math.MaxInt32 {
			return false
		}
	}
	return true
}

// single reports whether each result is of one pixel, and each pixel has one.
func single(w []int, op graph.Conv) bool {
	return w[2] == 1 && w[3] == 1 && op.Groups == 1 && op.Stride == [2]int{1, 1} && op.Pad == graph.Pad{}
}

// clamps reports whether the activation is what the result's type does by
// itself: unsigned integers stop at 0, and so do our floats.
func (p pointwise) clamps() bool {
	switch p.op.Act.Func {
	case graph.ReLU:
		return p.to != int8s
	case graph.Identity:
		return p.to != float32s
	}
	return false
}

func (l *lowering) lowerPointwise(p pointwise) error {
	x, y := p.n.In[0], p.n.Out
	src, err := l.inLayout(x, l.tmp.channelsLast(x.Shape, uint8s))
	if err != nil {
		return err
	}
	want := place{desc: l.tmp.channelsLast(y.Shape, p.to), scale: p.scale}
	held, dst, err := l.pointwiseResult(p.n, p.op, want, integers(p.residual), src)
	if err != nil {
		return err
	}
	c, err := l.pointwiseParams(p)
	if err != nil {
		return err
	}
	l.own(p.n, "bytes", C.NN_POINTWISE, kept(l.keep, []C.struct_nn_pointwise{c}), src, held, dst)
	return nil
}

// pixels are those of [N, C, H, W].
func pixels(v *graph.Value) C.int { return C.int(v.Shape[0] * v.Shape[2] * v.Shape[3]) }

// pointwiseResult is where the residual lies, as numbers of type t, and where
// the result goes: over it, unless that is of floats. Without a residual both
// are the same.
func (l *lowering) pointwiseResult(n *graph.Node, op graph.Conv, want place, t dtype, src place) (held, dst place, err error) {
	if want.desc.dtype() != float32s || !op.Residual {
		dst, err = l.destination(n, op, want, []arg{{argSource, src}})
		return dst, dst, err
	}
	if held, err = l.inLayout(n.In[len(n.In)-1], want.desc.as(l.tmp, t)); err != nil {
		return held, dst, err
	}
	return held, l.result(n.Out, want.desc), nil
}

// pointwiseParams are weights, bias and factors in memory of C's.
func (l *lowering) pointwiseParams(p pointwise) (C.struct_nn_pointwise, error) {
	w := p.n.In[1]
	weights, err := l.byteWeights(w)
	if err != nil {
		return C.struct_nn_pointwise{}, err
	}
	c := C.struct_nn_pointwise{
		pixels: pixels(p.n.Out), in: C.int(w.Shape[1]), out: C.int(w.Shape[0]), weights: (*C.schar)(weights),
		bias: (*C.int)(kept(l.keep, p.sums.bias)), factors: (*C.float)(kept(l.keep, p.sums.factors)),
		held: C.NN_NONE, result: numbers(p.to),
	}
	if p.op.Residual {
		c.held, c.residual = numbers(integers(p.residual)), C.float(p.residual.Scale/cmp.Or(p.scale, 1))
	}
	return c, nil
}

func numbers(t dtype) uint32 {
	switch t {
	case uint8s:
		return C.NN_UNSIGNED
	case int8s:
		return C.NN_SIGNED
	}
	return C.NN_FLOAT
}

// bytesOf are rounded weights [O, I, H, W] as [O/32, H, W, I/4, 32, 4].
func bytesOf(w *tensor.Dense) *tensor.Dense {
	rounded := int8sOf(w)
	in, taps := w.Shape[1], w.Shape[2]*w.Shape[3]
	d := tensor.New(tensor.Int8, w.Shape...)
	for at := range d.Data {
		i, o, block := at%4, at/4%outputsAtOnce, at/4/outputsAtOnce
		i += block % (in / 4) * 4
		tap := block / (in / 4) % taps
		o += block / (in / 4) / taps * outputsAtOnce
		d.Data[at] = rounded.Data[(o*in+i)*taps+tap]
	}
	return d
}

// kept copies numbers to memory of C's that the scope frees.
func kept[T any](s *scope, v []T) unsafe.Pointer {
	size := int(unsafe.Sizeof(v[0])) * len(v)
	p, err := alloc(size)
	if err != nil {
		panic(err) // of a few hundred kilobytes at most
	}
	s.add(func() { release(p) })
	copy(unsafe.Slice((*T)(p), len(v)), v)
	return p
}
