package torch

// #include "call.h"
import "C"

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/pptsn/pptsn/tensor"
)

type handle = unsafe.Pointer

// A Tensor is a tensor of libtorch. The zero value is none: it stands for an
// optional argument that is left out.
type Tensor struct{ h handle }

// None reports the zero value.
func (t Tensor) None() bool { return t.h == nil }

// A Scope owns the tensors that are made in it. After the first error, which
// Err returns, its calls do nothing and return zero Tensors. It belongs to the
// function that Session.Do was given.
type Scope struct {
	session *Session
	made    map[handle]struct{}
	words   []uint64 // of the call in progress; memory is reused
	err     error
}

// Err is the first error of the scope's calls.
func (s *Scope) Err() error { return s.err }

// Fail makes err the scope's error, unless it has one.
func (s *Scope) Fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *Scope) close() {
	for h := range s.made {
		s.session.release(h)
	}
}

func (s *Scope) own(h handle) Tensor {
	if h != nil {
		s.made[h] = struct{}{}
	}
	return Tensor{h}
}

// Keep takes tensors out of the scope: they live until Session.Free.
func (s *Scope) Keep(tensors ...Tensor) {
	for _, t := range tensors {
		delete(s.made, t.h)
	}
}

// Release frees tensors of the scope before its end.
func (s *Scope) Release(tensors ...Tensor) {
	for _, t := range tensors {
		if _, ok := s.made[t.h]; ok {
			delete(s.made, t.h)
			s.session.release(t.h)
		}
	}
}

// Call calls an operator of libtorch by name, such as "aten::relu" or, with an
// overload, "aten::add.Tensor", and returns its first result. Arguments are
// those of the operator's schema, all of them: Tensor (zero for none), nil,
// int, float64, bool, []int, []Tensor, DType.
func (s *Scope) Call(op string, args ...any) Tensor {
	var out [1]Tensor
	s.call(op, out[:], args)
	return out[0]
}

// CallN is Call for operators with several results, of which there are at
// most len(out).
func (s *Scope) CallN(op string, out []Tensor, args ...any) { s.call(op, out, args) }

// Run is Call for operators whose result nobody needs, as those that work in
// place on lists.
func (s *Scope) Run(op string, args ...any) {
	var out [1]Tensor
	s.call(op, out[:], args)
	s.Release(out[0])
}

func (s *Scope) call(name string, out []Tensor, args []any) {
	if s.err != nil {
		return
	}
	op, err := s.session.lib.operator(name)
	if err != nil {
		s.Fail(fmt.Errorf("torch: %w", err))
		return
	}
	s.words = s.words[:0]
	for i, a := range args {
		if err := s.encode(a); err != nil {
			s.Fail(fmt.Errorf("torch: %s: argument %d: %w", name, i, err))
			return
		}
	}
	made := make([]C.pt_tensor, len(out))
	var n C.size_t
	var first *C.pt_tensor
	if len(made) > 0 {
		first = &made[0]
	}
	msg := C.pt_call(s.session.lib.table, op, (*C.uint64_t)(unsafe.SliceData(s.words)), C.size_t(len(s.words)), first, C.size_t(len(made)), &n)
	for i := range int(n) {
		out[i] = s.own(handle(made[i]))
	}
	if err := takeError(msg); err != nil {
		s.Fail(fmt.Errorf("torch: %s: %w", name, err))
	}
}

// encode appends an argument as the shim reads it.
func (s *Scope) encode(a any) error {
	switch a := a.(type) {
	case nil:
		s.words = append(s.words, C.PT_NONE)
	case Tensor:
		if a.None() {
			s.words = append(s.words, C.PT_NONE)
		} else {
			s.words = append(s.words, C.PT_TENSOR, word(a))
		}
	case int:
		s.words = append(s.words, C.PT_INT, uint64(a))
	case DType:
		s.words = append(s.words, C.PT_INT, uint64(a))
	case float64:
		s.words = append(s.words, C.PT_FLOAT, math.Float64bits(a))
	case bool:
		b := uint64(0)
		if a {
			b = 1
		}
		s.words = append(s.words, C.PT_BOOL, b)
	case []int:
		s.words = append(s.words, C.PT_INTS, uint64(len(a)))
		for _, v := range a {
			s.words = append(s.words, uint64(v))
		}
	case []Tensor:
		s.words = append(s.words, C.PT_TENSORS, uint64(len(a)))
		for _, t := range a {
			if t.None() {
				return fmt.Errorf("a list holds no tensor in one place")
			}
			s.words = append(s.words, word(t))
		}
	default:
		return fmt.Errorf("a %T", a)
	}
	return nil
}

func word(t Tensor) uint64 { return uint64(uintptr(t.h)) }

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

// RequireGrad makes backward passes compute t's gradient. t is a leaf: not
// computed from others.
func (s *Scope) RequireGrad(t Tensor) {
	if s.err == nil {
		s.Fail(takeErrorAs("require grad", C.pt_require_grad(s.session.lib.table, C.pt_tensor(t.h))))
	}
}

// WithGrad runs f while operations are recorded for Backward.
func (s *Scope) WithGrad(f func()) {
	C.pt_grad_mode(s.session.lib.table, 1)
	defer C.pt_grad_mode(s.session.lib.table, 0)
	f()
}

// WithAutocast runs f while libtorch computes what gains from it in the given
// type (torch.autocast). Casts of weights are cached while f runs.
func (s *Scope) WithAutocast(d DType, f func()) {
	if s.err != nil {
		return
	}
	s.Fail(takeErrorAs("autocast", C.pt_autocast(s.session.lib.table, s.session.kind(), C.int(d))))
	defer func() { s.Fail(takeErrorAs("autocast", C.pt_autocast(s.session.lib.table, s.session.kind(), -1))) }()
	f()
}

// Backward adds to the gradients of all leaves that the scalar loss was
// computed from, and frees what the forward pass recorded.
func (s *Scope) Backward(loss Tensor) {
	if s.err == nil {
		s.Fail(takeErrorAs("backward", C.pt_backward(s.session.lib.table, C.pt_tensor(loss.h))))
	}
}

// Grads are the gradients of leaves, sharing their memory; zero Tensors where
// no backward pass has come by.
func (s *Scope) Grads(leaves []Tensor) []Tensor {
	if s.err != nil || len(leaves) == 0 {
		return make([]Tensor, len(leaves))
	}
	in, out := pointers(leaves), make([]C.pt_tensor, len(leaves))
	s.Fail(takeErrorAs("gradients", C.pt_grads(s.session.lib.table, &in[0], C.size_t(len(in)), &out[0])))
	grads := make([]Tensor, len(leaves))
	for i, h := range out {
		grads[i] = s.own(handle(h))
	}
	return grads
}

// DropGrads frees the gradients of leaves.
func (s *Scope) DropGrads(leaves []Tensor) {
	if len(leaves) > 0 {
		in := pointers(leaves)
		C.pt_drop_grads(s.session.lib.table, &in[0], C.size_t(len(in)))
	}
}

// Seed sets the seed of the random numbers of all devices.
func (s *Scope) Seed(seed uint64) {
	s.Fail(takeErrorAs("seed", C.pt_seed(s.session.lib.table, C.uint64_t(seed))))
}

// Generator is the state of the device's random numbers, for SetGenerator.
func (s *Scope) Generator() Tensor {
	var out C.pt_tensor
	s.Fail(takeErrorAs("generator", C.pt_generator(s.session.lib.table, s.session.kind(), C.int(s.session.device.Index), &out)))
	return s.own(handle(out))
}

// SetGenerator puts the device's random numbers back to a state.
func (s *Scope) SetGenerator(state Tensor) {
	s.Fail(takeErrorAs("generator", C.pt_set_generator(s.session.lib.table, s.session.kind(), C.int(s.session.device.Index), C.pt_tensor(state.h))))
}

func pointers(tensors []Tensor) []C.pt_tensor {
	p := make([]C.pt_tensor, len(tensors))
	for i, t := range tensors {
		p[i] = C.pt_tensor(t.h)
	}
	return p
}

func takeErrorAs(what string, msg *C.char) error {
	if err := takeError(msg); err != nil {
		return fmt.Errorf("torch: %s: %w", what, err)
	}
	return nil
}
