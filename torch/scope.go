package torch

// #include "call.h"
import "C"

import (
	"fmt"
	"unsafe"
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

// Device is where the scope's tensors live.
func (s *Scope) Device() Device { return s.session.device }

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

func takeErrorAs(what string, msg *C.char) error {
	if err := takeError(msg); err != nil {
		return fmt.Errorf("torch: %s: %w", what, err)
	}
	return nil
}
