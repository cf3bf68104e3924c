package onednn

// #include "shim.h"
import "C"

import "github.com/pptsn/pptsn/graph"

// A maker creates primitives: keep holds them, tmp what describes them.
type maker struct {
	device
	keep, tmp *scope
}

// convolution computes src * weights + bias, bias if it has one. Layouts left
// open are chosen.
// q is nil for floats.
func (m maker) convolution(c graph.Conv, src, weights, bias, dst desc, post []postOp, q *scaling) (primitive, error) {
	strides, dilations := cdims(c.Stride[:]), cdims(c.Dilation[:])
	before, after := cdims([]int{c.Pad.Top, c.Pad.Left}), cdims([]int{c.Pad.Bottom, c.Pad.Right})
	return m.makeScaled("convolution", post, q, func(pd *C.dnnl_primitive_desc_t, attr C.dnnl_primitive_attr_t) C.dnnl_status_t {
		return C.nn_convolution(pd, m.engine, attr, src.md, weights.md, bias.md, dst.md,
			ptr(strides), ptr(dilations), ptr(before), ptr(after))
	})
}

// pooling takes windows that lie within the given padding.
func (m maker) pooling(p graph.Pool, src, dst desc, pad graph.Pad) (primitive, error) {
	alg := C.dnnl_alg_kind_t(C.dnnl_pooling_avg_exclude_padding)
	switch {
	case p.Max:
		alg = C.dnnl_pooling_max
	case p.CountPadding:
		alg = C.dnnl_pooling_avg_include_padding
	}
	strides, kernel := cdims(p.Stride[:]), cdims(p.Kernel[:])
	before, after := cdims([]int{pad.Top, pad.Left}), cdims([]int{pad.Bottom, pad.Right})
	return m.make("pooling", nil, func(pd *C.dnnl_primitive_desc_t, attr C.dnnl_primitive_attr_t) C.dnnl_status_t {
		return C.nn_pooling(pd, m.engine, attr, alg, src.md, dst.md, ptr(strides), ptr(kernel), ptr(before), ptr(after))
	})
}

// innerProduct computes src [M, I] x weights [O, I] + bias -> dst [M, O].
func (m maker) innerProduct(src, weights, bias, dst desc) (primitive, error) {
	return m.make("inner product", nil, func(pd *C.dnnl_primitive_desc_t, attr C.dnnl_primitive_attr_t) C.dnnl_status_t {
		return C.nn_inner_product(pd, m.engine, attr, src.md, weights.md, bias.md, dst.md)
	})
}

// eltwise applies functions to each element, in turn.
func (m maker) eltwise(data desc, functions []postOp) (primitive, error) {
	f := functions[0]
	return m.make("eltwise", functions[1:], func(pd *C.dnnl_primitive_desc_t, attr C.dnnl_primitive_attr_t) C.dnnl_status_t {
		return C.nn_eltwise(pd, m.engine, attr, f.alg, data.md, C.float(f.alpha), C.float(f.beta))
	})
}

// binary computes a op b -> dst, where axes of b of length 1 are stretched.
func (m maker) binary(op graph.BinaryKind, a, b, dst desc, post []postOp) (primitive, error) {
	alg := [...]C.dnnl_alg_kind_t{graph.Add: C.dnnl_binary_add, graph.Sub: C.dnnl_binary_sub,
		graph.Mul: C.dnnl_binary_mul, graph.Div: C.dnnl_binary_div}[op]
	return m.make("binary "+op.String(), post, func(pd *C.dnnl_primitive_desc_t, attr C.dnnl_primitive_attr_t) C.dnnl_status_t {
		return C.nn_binary(pd, m.engine, attr, alg, a.md, b.md, dst.md)
	})
}

func (m maker) softmax(data desc, axis int) (primitive, error) {
	return m.make("softmax", nil, func(pd *C.dnnl_primitive_desc_t, attr C.dnnl_primitive_attr_t) C.dnnl_status_t {
		return C.nn_softmax(pd, m.engine, attr, data.md, C.int(axis))
	})
}

// mean averages over the axes that are longer in src than in dst, where they
// have length 1.
func (m maker) mean(src, dst desc) (primitive, error) {
	return m.make("reduction", nil, func(pd *C.dnnl_primitive_desc_t, attr C.dnnl_primitive_attr_t) C.dnnl_status_t {
		return C.nn_mean(pd, m.engine, attr, src.md, dst.md)
	})
}

func (m maker) batchNorm(data desc, epsilon float32) (primitive, error) {
	return m.make("batch normalization", nil, func(pd *C.dnnl_primitive_desc_t, attr C.dnnl_primitive_attr_t) C.dnnl_status_t {
		return C.nn_batch_norm(pd, m.engine, attr, data.md, C.float(epsilon))
	})
}

func (m maker) concat(src []desc, dst desc, axis int) (primitive, error) {
	mds := make([]C.nn_md, len(src))
	for i, d := range src {
		mds[i] = d.md
	}
	return m.make("concat", nil, func(pd *C.dnnl_primitive_desc_t, attr C.dnnl_primitive_attr_t) C.dnnl_status_t {
		return C.nn_concat(pd, m.engine, attr, C.int(len(mds)), &mds[0], dst.md, C.int(axis))
	})
}

// reorder lays numbers out otherwise, or as another type; q is nil unless one
// side is of integers that stand for others.
func (m maker) reorder(from, to desc, q *scaling) (primitive, error) {
	return m.makeScaled("reorder", nil, q, func(pd *C.dnnl_primitive_desc_t, attr C.dnnl_primitive_attr_t) C.dnnl_status_t {
		return C.nn_reorder(pd, m.engine, attr, from.md, to.md)
	})
}
