// Package torch binds libtorch, PyTorch's C++ library, and runs and trains
// graphs with it.
//
// libtorch is loaded at run time through a shim (shim.cc, built by
// scripts/torch.sh), so that only programs that train or ask for it need it. The binding is
// generic: [Scope.Call] calls any operator of libtorch's dispatcher by name.
//
// A [Session] is one OS thread and a device. Work is done in scopes on it: a
// scope owns every tensor that is made in it and remembers the first error, so
// that arithmetic stays readable. What outlives a scope is kept explicitly.
//
// Letters in shapes: N videos or batch, C channels, H and W pixels.
package torch

// #include "call.h"
import "C"

import (
	"context"
	"errors"
	"fmt"

	"github.com/pptsn/pptsn/internal/osthread"
)

// ErrClosed is returned by what was closed.
var ErrClosed = errors.New("torch: closed")

// SessionOptions tunes a session. The zero value is the CPU with all cores.
type SessionOptions struct {
	Device  Device
	Threads int // of the CPU; 0 leaves libtorch's own choice
}

// A Session calls libtorch from one OS thread, whose state (autocast, whether
// gradients are recorded) and pool of OpenMP threads it keeps. Many goroutines
// may use it; they take turns.
type Session struct {
	lib    *library
	device Device
	thread *osthread.Thread[*Session]
	group  *Group // for the thread alone: whose collectives backward may run
}

// NewSession loads libtorch, if this process has not, and starts a session.
// The caller closes it. Errors are *NotFoundError, *LoadError, or say that the
// device is absent.
func NewSession(o SessionOptions) (*Session, error) {
	lib, err := load()
	if err != nil {
		return nil, err
	}
	if err := lib.has(o.Device); err != nil {
		return nil, err
	}
	s := &Session{lib: lib, device: o.Device}
	s.thread, err = osthread.Start(func() (*Session, error) {
		C.pt_grad_mode(lib.table, 0) // libtorch records by default
		if o.Threads > 0 {
			C.pt_set_threads(lib.table, C.int(o.Threads))
		}
		return s, nil
	}, func(*Session) {})
	return s, err
}

// has says why a device is absent; nil if it is there.
func (l *library) has(d Device) error {
	n := int(C.pt_devices(l.table, C.PT_CUDA))
	version := C.GoString(l.table.version)
	switch {
	case !d.CUDA || d.Index >= 0 && d.Index < n:
		return nil
	case l.table.cuda == 0:
		return fmt.Errorf("torch: no device %s: libtorch %s was built without CUDA, so it sees no CUDA devices: `LIBTORCH=folder make torch` binds one that was built with it", d, version)
	case n == 0:
		return fmt.Errorf("torch: no device %s: libtorch %s sees no CUDA devices: is there one, and its driver (nvidia-smi)?", d, version)
	}
	return fmt.Errorf("torch: no device %s: libtorch %s sees %d CUDA devices, and they count from 0", d, version, n)
}

// Device is where the session's tensors live.
func (s *Session) Device() Device { return s.device }

// Do runs f with a scope on the session's thread. All tensors made in it are
// freed afterwards, but those that were kept. The error is f's, else the
// scope's first, else that of the context, if it ended before f began.
func (s *Session) Do(ctx context.Context, f func(*Scope) error) error {
	var err error
	asked := s.thread.Do(ctx, func(*Session) {
		sc := &Scope{session: s, made: map[handle]struct{}{}}
		defer sc.close()
		if err = f(sc); err == nil {
			err = sc.err
		}
	})
	if errors.Is(asked, osthread.ErrStopped) {
		return ErrClosed
	}
	return errors.Join(asked, err)
}

// Free frees kept tensors.
func (s *Session) Free(tensors ...Tensor) {
	free := func() {
		for _, t := range tensors {
			s.release(t.h)
		}
	}
	if s.thread.Do(context.Background(), func(*Session) { free() }) != nil {
		free() // the thread is gone; on the CPU and through CUDA's allocator any thread may free
	}
}

func (s *Session) release(h handle) {
	if h != nil {
		p := C.pt_tensor(h)
		C.pt_release(s.lib.table, &p, 1)
	}
}

// Memory is how many bytes the session's CUDA device has allocated now and at
// most; zeros on the CPU, where the system counts for the whole process.
func (s *Session) Memory() (now, peak int64, err error) {
	var n, p C.int64_t
	err = takeError(C.pt_memory(s.lib.table, s.kind(), C.int(s.device.Index), &n, &p))
	return int64(n), int64(p), err
}

func (s *Session) kind() C.int {
	if s.device.CUDA {
		return C.PT_CUDA
	}
	return C.PT_CPU
}

// Close ends the thread. It may be called twice.
func (s *Session) Close() error {
	s.thread.Stop()
	return nil
}
