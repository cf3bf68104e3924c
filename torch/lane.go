package torch

import (
	"context"
	"unsafe"
)

// A lane is the way of a piece's pixels to the device: memory on either side.
// An engine has a few of them, so that the next piece is cut and copied while
// the present one is computed. On the CPU both sides are one.
type lane struct {
	bytes    int
	host     Tensor
	data     unsafe.Pointer // of host
	device   Tensor
	copied   event // host may be written again
	consumed event // device may be written again
}

// reserve makes room for n bytes.
func (l *lane) reserve(s *Scope, n int) {
	if l.bytes >= n {
		return
	}
	l.free(s)
	host, data := s.hostEmpty(Uint8, n)
	device := host
	if s.Device().CUDA {
		device = s.empty(Uint8, n)
	}
	copied, consumed := s.newEvent(), s.newEvent()
	if s.err != nil { // the memory is the scope's
		s.session.dropEvent(copied)
		s.session.dropEvent(consumed)
		return
	}
	s.Keep(host, device)
	*l = lane{bytes: n, host: host, data: data, device: device, copied: copied, consumed: consumed}
}

// free returns the memory, once the device has no more use for it.
func (l *lane) free(s *Scope) {
	if l.bytes == 0 {
		return
	}
	if s.Device().CUDA {
		s.Synchronize()
		s.session.release(l.device.h)
	}
	s.session.release(l.host.h)
	s.session.dropEvent(l.copied)
	s.session.dropEvent(l.consumed)
	*l = lane{}
}

// pixels is the host's side.
func (l *lane) pixels(n int) []byte { return unsafe.Slice((*byte)(l.data), n) }

// upload copies n bytes to the device beside what is computed there, and
// returns them; what is computed next waits for them.
func (l *lane) upload(s *Scope, on stream, n int) Tensor {
	device := s.Call("aten::slice.Tensor", l.device, 0, 0, n, 1)
	if s.Device().CUDA {
		s.wait(l.consumed, on)
		s.copy(on, device, s.Call("aten::slice.Tensor", l.host, 0, 0, n, 1))
		s.record(l.copied, on)
		s.wait(l.copied, stream{})
	}
	return device
}

// used says that what was given to the device so far is all that reads it.
func (l *lane) used(s *Scope) { s.record(l.consumed, stream{}) }

// lanes are lent to one piece at a time.
type lanes chan *lane

func newLanes(n int) lanes {
	l := make(lanes, n)
	for range n {
		l <- &lane{}
	}
	return l
}

// take waits for a lane, makes room for n bytes in it, and waits until its
// host's side may be written.
func (l lanes) take(ctx context.Context, s *Session, n int) (*lane, error) {
	select {
	case ln := <-l:
		err := s.Do(ctx, func(s *Scope) error { ln.reserve(s, n); return nil })
		if err == nil {
			err = s.until(ctx, ln.copied)
		}
		if err != nil {
			l <- ln
			return nil, err
		}
		return ln, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
