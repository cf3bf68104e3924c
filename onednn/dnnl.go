package onednn

/*
#cgo CFLAGS: -O3 -fopenmp
#cgo LDFLAGS: -ldnnl -lgomp
#include <omp.h>
#include <stdlib.h>
#include <dnnl_debug.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"
)

// A StatusError is a call of oneDNN that did not succeed.
type StatusError struct {
	Call   string // what was asked for, such as "convolution"
	Status string // oneDNN's name of the status, such as "out_of_memory"
}

// Error is "oneDNN: convolution: out_of_memory".
func (e *StatusError) Error() string { return "oneDNN: " + e.Call + ": " + e.Status }

// errUnimplemented says that oneDNN has no kernel for an operation.
var errUnimplemented = errors.New("oneDNN has no such primitive")

func statusError(call string, s C.dnnl_status_t) error {
	switch s {
	case C.dnnl_success:
		return nil
	case C.dnnl_unimplemented:
		return fmt.Errorf("%s: %w", call, errUnimplemented)
	}
	return &StatusError{Call: call, Status: C.GoString(C.dnnl_status2str(s))}
}

// must is for calls that fail only when memory is exhausted, or if this
// package is wrong.
func must(call string, s C.dnnl_status_t) {
	if err := statusError(call, s); err != nil {
		panic(err)
	}
}

// A scope frees what was made in it, the last first.
type scope struct{ free []func() }

func (s *scope) add(free func()) { s.free = append(s.free, free) }

func (s *scope) close() {
	for _, f := range slices.Backward(s.free) {
		f()
	}
	s.free = nil
}

// A device is where primitives run: the CPU, and the calling thread's OpenMP
// pool.
type device struct {
	engine C.dnnl_engine_t
	stream C.dnnl_stream_t
}

func newDevice(s *scope, threads int) (device, error) {
	var d device
	C.omp_set_num_threads(C.int(threads))
	if st := C.dnnl_engine_create(&d.engine, C.dnnl_cpu, 0); st != C.dnnl_success {
		return d, statusError("engine", st)
	}
	s.add(func() { C.dnnl_engine_destroy(d.engine) })
	if st := C.dnnl_stream_create(&d.stream, d.engine, C.dnnl_stream_default_flags); st != C.dnnl_success {
		return d, statusError("stream", st)
	}
	s.add(func() { C.dnnl_stream_destroy(d.stream) })
	return d, nil
}

// A desc says how an array of numbers lies in memory.
type desc struct{ md C.nn_md }

// A dtype is the type of an array's numbers.
type dtype = C.dnnl_data_type_t

const (
	float32s  dtype = C.dnnl_f32
	bfloat16s dtype = C.dnnl_bf16
	int8s     dtype = C.dnnl_s8
	uint8s    dtype = C.dnnl_u8
	ownType   dtype = C.dnnl_data_type_undef // of a sum: the destination's
)

// plain is row-major, as tensor.Dense, in float32.
func (s *scope) plain(dims []int) desc { return s.strided(dims, rowMajor(dims), float32s) }

func (s *scope) strided(dims, strides []int, t dtype) desc {
	var md C.nn_md
	must("memory descriptor", C.nn_md_strided(&md, C.int(len(dims)), ptr(cdims(dims)), t, ptr(cdims(strides))))
	return s.own(md)
}

// channelsLast keeps all channels of a pixel of [N, C, H, W] together.
func (s *scope) channelsLast(dims []int, t dtype) desc {
	c, h, w := dims[1], dims[2], dims[3]
	return s.strided(dims, []int{h * w * c, 1, w * c, c}, t)
}

// open leaves the layout to the primitive that will use it.
func (s *scope) open(dims []int, t dtype) desc {
	var md C.nn_md
	must("memory descriptor", C.nn_md_any(&md, C.int(len(dims)), ptr(cdims(dims)), t))
	return s.own(md)
}

// blocked keeps 16 channels of a pixel together.
func (s *scope) blocked(dims []int, t dtype) desc {
	var md C.nn_md
	must("memory descriptor", C.nn_md_blocked(&md, ptr(cdims(dims)), t))
	return s.own(md)
}

// as is the same layout, one without blocks, for numbers of another type.
func (d desc) as(s *scope, t dtype) desc {
	var md C.nn_md
	must("memory descriptor", C.nn_md_as(&md, d.md, t))
	return s.own(md)
}

func (d desc) dtype() dtype { return C.nn_md_type(d.md) }

// copy returns the same layout for another scope.
func (d desc) copy(s *scope) desc {
	var md C.nn_md
	must("memory descriptor", C.nn_md_copy(&md, d.md))
	return s.own(md)
}

func (s *scope) own(md C.nn_md) desc {
	s.add(func() { C.nn_md_free(md) })
	return desc{md}
}

func (d desc) equal(e desc) bool { return C.nn_md_equal(d.md, e.md) != 0 }

// size in bytes, padding included.
func (d desc) size() int { return int(C.nn_md_size(d.md)) }

// maxAxes is how many axes oneDNN can describe.
const maxAxes = C.DNNL_MAX_NDIMS

// cdims has room for maxAxes numbers, as C's type demands.
func cdims(dims []int) []C.dnnl_dim_t {
	c := make([]C.dnnl_dim_t, len(dims), maxAxes)
	for i, d := range dims {
		c[i] = C.dnnl_dim_t(d)
	}
	return c
}

func ptr(c []C.dnnl_dim_t) *C.dnnl_dim_t { return unsafe.SliceData(c) }

func rowMajor(dims []int) []int {
	strides, step := make([]int, len(dims)), 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = step
		step *= dims[i]
	}
	return strides
}

// A memory is an operand that a primitive can be given: a desc and an address.
type memory struct{ c C.dnnl_memory_t }

func (d device) memory(s *scope, x desc) memory {
	var m C.dnnl_memory_t
	must("memory", C.nn_memory(&m, x.md, d.engine))
	s.add(func() { C.dnnl_memory_destroy(m) })
	return memory{m}
}

func (m memory) set(p unsafe.Pointer) {
	must("memory address", C.dnnl_memory_set_data_handle(m.c, p))
}

func (m memory) address() unsafe.Pointer {
	var p unsafe.Pointer
	must("memory address", C.dnnl_memory_get_data_handle(m.c, &p))
	return p
}

// alloc returns that many bytes of C memory, aligned for vectors and pages.
func alloc(size int) (unsafe.Pointer, error) {
	p := C.nn_alloc(C.size_t(max(size, 1)))
	if p == nil {
		return nil, fmt.Errorf("no memory for %d bytes", size)
	}
	return p, nil
}

func release(p unsafe.Pointer) { C.free(p) }

// floats are n numbers at p.
func floats(p unsafe.Pointer, n int) []float32 { return unsafe.Slice((*float32)(p), n) }
