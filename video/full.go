package video

import (
	"context"
	"errors"

	"github.com/pptsn/pptsn/frame"
)

// maxPerPacket bounds what a decoder may answer to one packet before it is
// taken to have lost its way.
const maxPerPacket = 1 << 12

// full decodes from the beginning, every packet, and counts: what it finds is
// what the file holds. Errors of single packets are passed over, as by the
// ffmpeg tool. Frames that are keys of pictures are stored there. The first
// time it runs to the end and settles Len; later it stops after the last key.
func (f *File) full(ctx context.Context, pictures map[int]*frame.RGB) error {
	if err := f.reopen(ctx); err != nil {
		return err
	}
	f.next = len(f.x.packets) // it is not kept track of here
	if err := f.h.begin(f.o.threads()); err != nil {
		return f.decodeError(ctx, 0, err)
	}
	last := -1
	for i := range pictures {
		last = max(last, i)
	}
	t := &taker{h: f.h, pictures: pictures}
	for more := true; more && !(f.exact && t.n > last); {
		var err error
		if more, err = f.feed(ctx); err == nil {
			err = t.take()
		}
		if err != nil {
			f.lost = true
			return f.decodeError(ctx, t.n, err)
		}
	}
	if !f.exact {
		f.exact = true
		f.plain = f.plain || t.n != f.x.frames
		f.frames.Store(int64(t.n))
	}
	return nil
}

// feed gives the decoder the next packet, or tells it that there is none:
// more is false then.
func (f *File) feed(ctx context.Context) (more bool, err error) {
	for {
		p, _, ok, err := f.h.read()
		var bad *failure
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case errors.As(err, &bad) && bad.interrupted():
			return false, err
		case err != nil || !ok:
			return false, f.h.drain()
		case p.size == 0 || f.h.send(false) != nil:
			continue
		}
		return true, nil
	}
}

// A taker counts the pictures that come out of a decoder and keeps some.
type taker struct {
	h        *handle
	pictures map[int]*frame.RGB
	n        int    // pictures so far
	size     [2]int // width and height of the first
}

// take empties the decoder.
func (t *taker) take() error {
	for range maxPerPacket {
		_, ok, err := t.h.receive()
		if err != nil {
			continue // a damaged picture
		}
		if !ok {
			return nil
		}
		if t.n == 0 {
			t.size[0], t.size[1] = t.h.size()
		}
		if _, chosen := t.pictures[t.n]; chosen {
			if t.pictures[t.n], err = t.h.rgb(t.size[0], t.size[1]); err != nil {
				return err
			}
		}
		t.n++
	}
	return errors.New("the decoder does not come to an end")
}

// reopen starts over at the first packet.
func (f *File) reopen(ctx context.Context) error {
	f.lost = true
	s, err := f.h.open(f.path, f.o)
	if err != nil {
		return f.openError(ctx, err)
	}
	if s.codec != f.s.codec || s.width != f.s.width || s.height != f.s.height {
		return f.openError(ctx, errors.New("the file changed while it was open"))
	}
	f.next, f.held, f.lost = 0, false, false
	return nil
}
