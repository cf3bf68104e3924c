package torch

// #include "call.h"
import "C"

import (
	"context"
	"fmt"
	"time"
	"unsafe"
)

// empty makes a tensor on the session's device whose elements are not set.
func (s *Scope) empty(d DType, shape ...int) Tensor {
	t, _ := s.emptyAt(s.session.device, false, d, shape)
	return t
}

// hostEmpty makes one on the host and returns its memory, which a CUDA device
// reads and writes while the host goes on.
func (s *Scope) hostEmpty(d DType, shape ...int) (Tensor, unsafe.Pointer) {
	return s.emptyAt(CPU, s.session.device.CUDA, d, shape)
}

func (s *Scope) emptyAt(device Device, pinned bool, d DType, shape []int) (Tensor, unsafe.Pointer) {
	if s.err != nil {
		return Tensor{}, nil
	}
	dims := make([]C.int64_t, len(shape)+1) // never empty: the shim is given its address
	for i, n := range shape {
		dims[i] = C.int64_t(n)
	}
	kind, pin := C.int(C.PT_CPU), C.int(0)
	if device.CUDA {
		kind = C.PT_CUDA
	}
	if pinned {
		pin = 1
	}
	var out C.pt_tensor
	var data unsafe.Pointer
	msg := C.pt_empty(s.session.lib.table, C.int(d), &dims[0], C.int(len(shape)), kind, C.int(device.Index), pin, &out, &data)
	if err := takeError(msg); err != nil {
		s.Fail(fmt.Errorf("torch: memory for %s %v: %w", d, shape, err))
		return Tensor{}, nil
	}
	return s.own(handle(out)), data
}

// A stream is a queue of a CUDA device's work beside the session's own; the
// zero value is the session's own.
type stream struct{ s C.pt_stream }

func (s *Scope) newStream() stream {
	var st stream
	if s.err == nil {
		s.Fail(takeErrorAs("stream", C.pt_new_stream(s.session.lib.table, C.int(s.session.device.Index), &st.s)))
	}
	return st
}

func (s *Session) dropStream(st stream) {
	if st.s != nil {
		C.pt_drop_stream(s.lib.table, st.s)
	}
}

// copy puts a tensor's elements into another. Where one of them is memory of
// hostEmpty it returns before that is done.
func (s *Scope) copy(on stream, to, from Tensor) {
	if s.err == nil {
		s.Fail(takeErrorAs("copy", C.pt_copy(s.session.lib.table, on.s, C.pt_tensor(to.h), C.pt_tensor(from.h))))
	}
}

// An event marks a place in a stream. The zero value is one that has come: on
// the CPU all work is done when its call returns.
type event struct{ e C.pt_event }

func (s *Scope) newEvent() event {
	var ev event
	if s.err == nil && s.session.device.CUDA {
		s.Fail(takeErrorAs("event", C.pt_new_event(s.session.lib.table, C.int(s.session.device.Index), &ev.e)))
	}
	return ev
}

func (s *Session) dropEvent(ev event) {
	if ev.e != nil {
		C.pt_drop_event(s.lib.table, ev.e)
	}
}

// record moves the event to behind all that the stream was given.
func (s *Scope) record(ev event, on stream) {
	if s.err == nil && ev.e != nil {
		s.Fail(takeErrorAs("record", C.pt_record(s.session.lib.table, ev.e, on.s)))
	}
}

// wait makes the stream go on only when the event has come.
func (s *Scope) wait(ev event, on stream) {
	if s.err == nil && ev.e != nil {
		s.Fail(takeErrorAs("wait", C.pt_wait(s.session.lib.table, ev.e, on.s)))
	}
}

// patience is how long a caller sleeps between two looks at an event. The
// network takes some milliseconds for a piece; CUDA's own waiting would keep a
// core busy, and could not be cancelled.
const patience = 50 * time.Microsecond

// until waits for an event. Looks are taken on the session's thread, since
// CUDA refuses some while another thread records a graph.
func (s *Session) until(ctx context.Context, ev event) error {
	for ev.e != nil {
		var yes C.int
		err := s.Do(ctx, func(*Scope) error { return takeErrorAs("wait", C.pt_done(s.lib.table, ev.e, &yes)) })
		if err != nil || yes != 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(patience):
		}
	}
	return ctx.Err()
}

// tuned runs f while cuDNN measures which of its ways is fastest for shapes
// that it has not seen, and computes float32 as such, without TF32.
func (s *Scope) tuned(f func()) {
	var before, now C.int
	s.Fail(takeErrorAs("tune", C.pt_tune(s.session.lib.table, C.PT_MEASURE, &before)))
	f()
	s.Fail(takeErrorAs("tune", C.pt_tune(s.session.lib.table, before, &now)))
}

// try runs f with a scope inside s: an error in it is returned and leaves s
// usable. Tensors that f returns belong to s, what else it made is freed.
func (s *Scope) try(f func(*Scope) []Tensor) ([]Tensor, error) {
	inner := &Scope{session: s.session, made: map[handle]struct{}{}}
	defer inner.close()
	out := f(inner)
	if inner.err != nil {
		return nil, inner.err
	}
	for _, t := range out {
		inner.Keep(t)
		s.own(t.h)
	}
	return out, nil
}
