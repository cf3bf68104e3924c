package torch

// #include "call.h"
import "C"

import (
	"fmt"
	"math"
	"unsafe"
)

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
