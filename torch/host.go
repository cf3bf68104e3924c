package torch

// #include "call.h"
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/pptsn/pptsn/tensor"
)

// From copies an array to the session's device.
func (s *Scope) From(d *tensor.Dense) Tensor {
	if s.err != nil {
		return Tensor{}
	}
	dtype, err := dtypeOf(d.Type)
	if err != nil {
		s.Fail(err)
		return Tensor{}
	}
	shape := make([]C.int64_t, len(d.Shape)+1) // never empty: the shim is given its address
	for i, n := range d.Shape {
		shape[i] = C.int64_t(n)
	}
	var out C.pt_tensor
	msg := C.pt_from_host(s.session.lib.table, unsafe.Pointer(unsafe.SliceData(d.Data)), C.size_t(len(d.Data)), C.int(dtype),
		&shape[0], C.int(len(d.Shape)), s.session.kind(), C.int(s.session.device.Index), &out)
	if err := takeError(msg); err != nil {
		s.Fail(fmt.Errorf("torch: copy %s to %s: %w", d, s.session.device, err))
		return Tensor{}
	}
	return s.own(handle(out))
}

// Shape is a tensor's shape.
func (s *Scope) Shape(t Tensor) []int { shape, _ := s.info(t); return shape }

// DType is the type of a tensor's elements.
func (s *Scope) DType(t Tensor) DType { _, d := s.info(t); return d }

func (s *Scope) info(t Tensor) ([]int, DType) {
	if s.err != nil {
		return nil, 0
	}
	var in C.pt_info
	if err := takeError(C.pt_info_of(s.session.lib.table, C.pt_tensor(t.h), &in)); err != nil {
		s.Fail(fmt.Errorf("torch: %w", err))
		return nil, 0
	}
	shape := make([]int, in.dims)
	for i := range shape {
		shape[i] = int(in.shape[i])
	}
	return shape, DType(in.dtype)
}

// Dense copies a tensor to the host, converted to a type that package tensor
// knows.
func (s *Scope) Dense(t Tensor, as tensor.Type) *tensor.Dense {
	dtype, err := dtypeOf(as)
	if err != nil {
		s.Fail(err)
	}
	shape := s.Shape(t)
	if s.err != nil {
		return nil
	}
	d := tensor.New(as, shape...)
	msg := C.pt_to_host(s.session.lib.table, C.pt_tensor(t.h), C.int(dtype), unsafe.Pointer(unsafe.SliceData(d.Data)), C.size_t(len(d.Data)))
	if err := takeError(msg); err != nil {
		s.Fail(fmt.Errorf("torch: copy to the host: %w", err))
		return nil
	}
	return d
}

// Float32s copies a tensor to the host as float32.
func (s *Scope) Float32s(t Tensor) []float32 {
	d := s.Dense(t, tensor.Float32)
	if d == nil {
		return nil
	}
	return d.Float32s()
}

// To converts a tensor; the tensor itself if it is of the type already.
func (s *Scope) To(t Tensor, d DType) Tensor {
	if s.DType(t) == d {
		return t
	}
	return s.Call("aten::to.dtype", t, d, false, false, nil)
}
