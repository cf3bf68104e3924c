package video

import (
	"context"
	"errors"
	"slices"

	"github.com/pptsn/pptsn/frame"
)

// errDoubt: something did not come out as the index says.
var errDoubt = errors.New("packets and pictures disagree")

// readOn is how many bytes of packets are rather read than jumped over.
const readOn = 256 << 10

// chosen decodes the frames that are keys of pictures and little else. On
// errDoubt the pictures are worthless.
func (f *File) chosen(ctx context.Context, pictures map[int]*frame.RGB) error {
	if err := f.h.begin(f.o.threads()); err != nil {
		return f.decodeError(ctx, 0, err)
	}
	for k, s := range f.x.spans(pictures) {
		if k > 0 {
			f.h.flush()
		}
		err := f.goTo(ctx, s.first)
		if err == nil {
			err = f.decodeSpan(ctx, s, pictures)
		}
		if err != nil {
			f.lost = true
			return err
		}
	}
	return nil
}

// decodeSpan decodes the packets of s, except pictures that are neither chosen
// nor referred to.
func (f *File) decodeSpan(ctx context.Context, s span, pictures map[int]*frame.RGB) error {
	var due []packet // sent and not yet come out, by time
	for range s.end - s.first {
		p, err := f.advance(ctx)
		if err != nil {
			return err
		}
		_, wanted := pictures[int(p.frame)]
		skip := p.nonref && !wanted
		if f.h.send(skip) != nil {
			return errDoubt
		}
		if p.frame >= 0 && !skip {
			at, _ := slices.BinarySearchFunc(due, p, byTime)
			due = slices.Insert(due, at, p)
		}
		if due, err = f.collect(ctx, due, pictures); err != nil {
			return err
		}
	}
	if f.h.drain() != nil {
		return errDoubt
	}
	due, err := f.collect(ctx, due, pictures)
	if err == nil && (len(due) > 0 || f.h.complained()) {
		return errDoubt
	}
	return err
}

// collect takes what the decoder has ready: undamaged pictures in the order of
// due, or there is doubt. It returns what is still due.
func (f *File) collect(ctx context.Context, due []packet, pictures map[int]*frame.RGB) ([]packet, error) {
	for {
		p, ok, err := f.h.receive()
		if err == nil && !ok {
			return due, nil
		}
		if err != nil || p.damaged || !p.usual || len(due) == 0 || p.pts != due[0].pts {
			return nil, errDoubt
		}
		i := int(due[0].frame)
		due = due[1:]
		if _, wanted := pictures[i]; !wanted {
			continue
		}
		w, h := f.h.size()
		if pictures[i], err = f.h.rgb(w, h); err != nil {
			return nil, f.decodeError(ctx, i, err)
		}
	}
}

// goTo makes the packet at position pos the next one.
func (f *File) goTo(ctx context.Context, pos int) error {
	if f.lost {
		if err := f.reopen(ctx); err != nil {
			return err
		}
	}
	if f.next <= pos && f.x.bytes(f.next, pos) <= readOn {
		return f.readTo(ctx, pos)
	}
	for _, ts := range []int64{f.x.packets[pos].pts, f.x.packets[pos].dts} {
		if ts != noTime && f.h.seek(ts) == nil && f.land() && f.next <= pos {
			return f.readTo(ctx, pos)
		}
	}
	if err := f.reopen(ctx); err != nil {
		return err
	}
	return f.readTo(ctx, pos)
}

// land reads a packet after a jump and finds its position.
func (f *File) land() bool {
	f.lost, f.held = true, false
	p, _, ok, err := f.h.read()
	if err != nil || !ok {
		return false
	}
	f.next = slices.IndexFunc(f.x.packets, p.same)
	f.lost = f.next < 0
	f.held = !f.lost
	return f.held
}

// readTo reads on until the packet at position pos is the next one.
func (f *File) readTo(ctx context.Context, pos int) error {
	for f.next < pos {
		if _, err := f.advance(ctx); err != nil {
			return err
		}
	}
	return nil
}

// advance reads the next packet, which must be the one that the index has there.
func (f *File) advance(ctx context.Context) (packet, error) {
	want := f.x.packets[f.next]
	if !f.held {
		p, _, ok, err := f.h.read()
		if ctx.Err() != nil {
			return p, f.decodeError(ctx, 0, err)
		}
		if err != nil || !ok || !p.same(want) {
			return p, errDoubt
		}
	}
	f.held = false
	f.next++
	return want, nil
}
