package onednn

// #include "shim.h"
import "C"

import "unsafe"

// A scaling says for what integers stand: numbers are integers times their
// scale; 1 where an operand is of floats.
type scaling struct {
	src, dst float32
	weights  []float32 // one for each output channel; nil where there are no weights
}

// scalesAreOperands tells version 3 of oneDNN from version 2, whose scales are
// fixed when a primitive is made.
const scalesAreOperands = C.DNNL_VERSION_MAJOR >= 3

// ask adds the scales to what a primitive is asked for.
func (q *scaling) ask(attr C.dnnl_primitive_attr_t) {
	switch {
	case q == nil:
	case !scalesAreOperands:
		factors, mask := q.factors(), 0
		if q.weights != nil {
			mask = 1 << 1 // channels are the result's second axis
		}
		must("scales", C.nn_output_scales(attr, C.int(len(factors)), C.int(mask), (*C.float)(unsafe.SliceData(factors))))
	default:
		must("scale of the source", C.nn_scales_mask(attr, C.DNNL_ARG_SRC, 0))
		must("scale of the destination", C.nn_scales_mask(attr, C.DNNL_ARG_DST, 0))
		if q.weights != nil {
			must("scales of the weights", C.nn_scales_mask(attr, C.DNNL_ARG_WEIGHTS, 1))
		}
	}
}

// factors turn sums of products of integers into integers of the destination.
func (q *scaling) factors() []float32 {
	if q.weights == nil {
		return []float32{q.src / q.dst}
	}
	f := make([]float32, len(q.weights))
	for i, w := range q.weights {
		f[i] = q.src * w / q.dst
	}
	return f
}

// sum is the factor of a residual that stands for numbers of that scale.
func (q *scaling) sum(scale float32) float32 {
	if scalesAreOperands { // the sum of the numbers themselves, before the division by the destination's scale
		return scale
	}
	return scale / q.dst
}

// bias is what is added to sums of products of integers: those of a bias in
// the products' scales, or in version 3 the numbers that they stand for.
func (q *scaling) bias(rounded []float64) []float32 {
	b := make([]float32, len(rounded))
	for i, v := range rounded {
		if b[i] = float32(v); scalesAreOperands {
			b[i] *= q.src * q.weights[i]
		}
	}
	return b
}

// operands are the scales where a primitive wants them so.
func (q *scaling) operands(m maker) []operand {
	if q == nil || !scalesAreOperands {
		return nil
	}
	given := []operand{
		m.constant(C.DNNL_ARG_ATTR_SCALES|C.DNNL_ARG_SRC, q.src),
		m.constant(C.DNNL_ARG_ATTR_SCALES|C.DNNL_ARG_DST, q.dst),
	}
	if q.weights != nil {
		given = append(given, m.constant(C.DNNL_ARG_ATTR_SCALES|C.DNNL_ARG_WEIGHTS, q.weights...))
	}
	return given
}

// constant is an operand of fixed numbers.
func (m maker) constant(r role, v ...float32) operand {
	data, err := alloc(4 * len(v))
	if err != nil {
		panic(err) // of a few kilobytes
	}
	m.keep.add(func() { release(data) })
	copy(floats(data, len(v)), v)
	mem := m.memory(m.keep, m.tmp.plain([]int{len(v)}))
	mem.set(data)
	return operand{r, mem}
}
