package onednn

// #include <stdlib.h>
// #include "shim.h"
// #include "steps.h"
import "C"

import (
	"strings"
	"unsafe"

	"github.com/pptsn/pptsn/graph"
)

// A primitive is a compiled kernel.
type primitive struct {
	call   string
	c      C.dnnl_primitive_t
	pd     C.dnnl_primitive_desc_t
	scales []operand // that it wants beside its other operands
}

// A role is the place of an operand among a primitive's arguments.
type role C.int

const (
	argSource   role = C.DNNL_ARG_SRC
	argSecond   role = C.DNNL_ARG_SRC_1
	argList     role = C.DNNL_ARG_MULTIPLE_SRC // and those that follow
	argWeights  role = C.DNNL_ARG_WEIGHTS
	argBias     role = C.DNNL_ARG_BIAS
	argDest     role = C.DNNL_ARG_DST
	argMean     role = C.DNNL_ARG_MEAN
	argVariance role = C.DNNL_ARG_VARIANCE
	argScale    role = C.DNNL_ARG_SCALE
	argShift    role = C.DNNL_ARG_SHIFT
	argScratch  role = C.DNNL_ARG_SCRATCHPAD
)

// A postOp is done on a primitive's result before it is stored: the addition
// of what the destination held, as numbers of type held times scale, or a
// function of one number.
type postOp struct {
	sum         bool
	held        dtype
	scale       float32
	alg         C.dnnl_alg_kind_t
	alpha, beta float32
}

// activation is a as functions that oneDNN has, to be applied in turn.
func activation(a graph.Activation) []postOp {
	switch a.Func {
	case graph.ReLU:
		return []postOp{{alg: C.dnnl_eltwise_relu}}
	case graph.ReLU6:
		return []postOp{{alg: C.dnnl_eltwise_clip, alpha: 0, beta: 6}}
	case graph.HardSwish: // version 2 has these constants built in
		return []postOp{{alg: C.dnnl_eltwise_hardswish, alpha: 1. / 6, beta: 0.5}}
	case graph.HardSigmoid:
		return []postOp{affine(a.Slope, a.Offset), {alg: C.dnnl_eltwise_clip, alpha: 0, beta: 1}}
	case graph.Sigmoid:
		return []postOp{{alg: C.dnnl_eltwise_logistic}}
	}
	return nil
}

func affine(scale, shift float32) postOp {
	return postOp{alg: C.dnnl_eltwise_linear, alpha: scale, beta: shift}
}

// make creates a primitive; describe makes its descriptor.
func (m maker) make(call string, post []postOp, describe func(*C.dnnl_primitive_desc_t, C.dnnl_primitive_attr_t) C.dnnl_status_t) (primitive, error) {
	return m.makeScaled(call, post, nil, describe)
}

// makeScaled is make for operands that stand for numbers times their scales.
func (m maker) makeScaled(call string, post []postOp, q *scaling, describe func(*C.dnnl_primitive_desc_t, C.dnnl_primitive_attr_t) C.dnnl_status_t) (primitive, error) {
	attr := attributes(post)
	defer C.dnnl_primitive_attr_destroy(attr)
	q.ask(attr)
	var pd C.dnnl_primitive_desc_t
	if s := describe(&pd, attr); s != C.dnnl_success {
		return primitive{}, statusError(call, s)
	}
	m.tmp.add(func() { C.dnnl_primitive_desc_destroy(pd) })
	var c C.dnnl_primitive_t
	if s := C.dnnl_primitive_create(&c, pd); s != C.dnnl_success {
		return primitive{}, statusError(call+" kernel", s)
	}
	m.keep.add(func() { C.dnnl_primitive_destroy(c) })
	return primitive{call: call, c: c, pd: pd, scales: q.operands(m)}, nil
}

// attributes asks for post-operations, and for scratch memory that we provide.
func attributes(post []postOp) C.dnnl_primitive_attr_t {
	var attr C.dnnl_primitive_attr_t
	must("attributes", C.dnnl_primitive_attr_create(&attr))
	must("scratchpad mode", C.dnnl_primitive_attr_set_scratchpad_mode(attr, C.dnnl_scratchpad_mode_user))
	var ops C.dnnl_post_ops_t
	must("post-operations", C.dnnl_post_ops_create(&ops))
	defer C.dnnl_post_ops_destroy(ops)
	for _, p := range post {
		if p.sum {
			must("sum", C.nn_append_sum(ops, C.float(p.scale), p.held))
		} else {
			must("activation", C.nn_append_eltwise(ops, p.alg, C.float(p.alpha), C.float(p.beta)))
		}
	}
	must("post-operations", C.dnnl_primitive_attr_set_post_ops(attr, ops))
	return attr
}

// kernel is oneDNN's name of what computes.
func (p primitive) kernel() string {
	var name *C.char
	must("kernel name", C.dnnl_primitive_desc_query(p.pd, C.dnnl_query_impl_info_str, 0, unsafe.Pointer(&name)))
	return C.GoString(name)
}

// generated reports whether the kernel is machine code made for its shapes,
// not a slow loop for all.
func (p primitive) generated() bool {
	return strings.HasPrefix(p.kernel(), "jit") || strings.HasPrefix(p.kernel(), "brg")
}

// The layouts that a primitive chose for its operands.

func (p primitive) source(s *scope) desc  { return p.operand(s, C.dnnl_query_src_md) }
func (p primitive) weights(s *scope) desc { return p.operand(s, C.dnnl_query_weights_md) }
func (p primitive) dest(s *scope) desc    { return p.operand(s, C.dnnl_query_dst_md) }

func (p primitive) operand(s *scope, what C.dnnl_query_t) desc {
	var md C.nn_md
	must(p.call+": layout", C.nn_md_of(&md, p.pd, what, 0))
	return s.own(md)
}

// scratch is the memory that the primitive needs while it runs; its size may
// be 0.
func (p primitive) scratch(s *scope) desc { return p.operand(s, C.dnnl_query_scratchpad_md) }

// An operand is an argument of a call.
type operand struct {
	role role
	mem  memory
}

// newCall is a primitive with its arguments, in memory of C's.
func newCall(s *scope, p primitive, operands []operand) C.struct_nn_step {
	args := (*C.dnnl_exec_arg_t)(C.malloc(C.size_t(len(operands)) * C.sizeof_dnnl_exec_arg_t))
	s.add(func() { C.free(unsafe.Pointer(args)) })
	for i, o := range operands {
		unsafe.Slice(args, len(operands))[i] = C.dnnl_exec_arg_t{arg: C.int(o.role), memory: o.mem.c}
	}
	return C.struct_nn_step{code: C.NN_PRIMITIVE, what: unsafe.Pointer(p.c), count: C.int(len(operands)), args: args}
}

// run computes steps until one fails, and returns how many went well.
func (d device) run(steps ...C.struct_nn_step) (done int, err error) {
	var n C.int
	status := C.nn_steps(d.stream, unsafe.SliceData(steps), C.int(len(steps)), &n)
	return int(n), statusError("a computation", status)
}
