package video

import (
	"context"
	"errors"

	"github.com/pptsn/pptsn/frame"
)

// full decodes from the beginning, every packet, and counts: what it finds is
// what the file holds. Frames that are keys of pictures are stored there. The
// first time it runs to the end and settles Len; later it stops after the last key.
func (f *File) full(ctx context.Context, pictures map[int]*frame.RGB) error {
	last := -1
	for i := range pictures {
		last = max(last, i)
	}
	var w, h int // of the first picture: all are scaled to that
	n, _, err := f.play(ctx, func(n int, _ picture) error {
		if f.exact && n > last {
			return errEnough
		}
		if n == 0 {
			w, h = f.h.size()
		}
		if _, chosen := pictures[n]; !chosen {
			return nil
		}
		var err error
		if pictures[n], err = f.h.rgb(w, h); err != nil {
			return f.decodeError(ctx, n, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.settle(n)
	return nil
}

// settle says how many frames a decode of the whole file gave.
func (f *File) settle(n int) {
	if f.exact {
		return
	}
	f.exact = true
	f.plain = f.plain || n != f.x.frames
	f.frames.Store(int64(n))
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
