package video

import (
	"context"
	"errors"
)

// maxPerPacket bounds what a decoder may answer to one packet before it is
// taken to have lost its way.
const maxPerPacket = 1 << 12

// Faults is what was wrong with a file that was decoded as a whole, although
// pictures came out.
type Faults struct {
	Packets    int  // that the decoder refused, and pictures that it could not finish
	Damaged    int  // frames that it marked as damaged or repaired
	Complaints int  // errors that it reported, whatever came of them
	Resized    int  // frames of another size than the first one's; File.Frames scales them to that
	Torn       bool // reading ended in an error, or the last packet is cut
}

// errEnough ends play early, without being an error.
var errEnough = errors.New("enough")

// play decodes from the beginning, every packet, and gives each picture to take,
// which may ask the handle for it. Errors of single packets are passed over, as
// by the ffmpeg tool. It returns the number of pictures. The error is take's as
// it is (nil for errEnough), else that of reading, with the path.
func (f *File) play(ctx context.Context, take func(n int, p picture) error) (n int, faults Faults, err error) {
	if err := f.reopen(ctx); err != nil {
		return 0, faults, err
	}
	f.next = len(f.x.packets) // it is not kept track of here
	if err := f.h.begin(f.o.threads()); err != nil {
		return 0, faults, f.decodeError(ctx, 0, err)
	}
	defer func() { faults.Complaints = f.h.complaints() }()
	for more := true; more; {
		if more, err = f.feed(ctx, &faults); err != nil {
			f.lost = true
			return n, faults, f.decodeError(ctx, n, err)
		}
		if n, err = f.empty(n, &faults, take); err != nil {
			f.lost = true
			if errors.Is(err, errEnough) {
				err = nil
			} else if errors.Is(err, errEndless) {
				err = f.decodeError(ctx, n, err)
			}
			return n, faults, err
		}
	}
	return n, faults, nil
}

// feed gives the decoder the next packet, or tells it that there is none:
// more is false then.
func (f *File) feed(ctx context.Context, faults *Faults) (more bool, err error) {
	for {
		p, _, ok, err := f.h.read()
		var bad *failure
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case errors.As(err, &bad) && bad.interrupted():
			return false, err
		case err != nil || !ok:
			faults.Torn = faults.Torn || err != nil
			return false, f.h.drain()
		case p.size == 0:
			continue
		}
		faults.Torn = p.corrupt // as long as no packet follows
		if f.h.send(false) != nil {
			faults.Packets++
			continue
		}
		return true, nil
	}
}

var errEndless = errors.New("the decoder does not come to an end")

// empty takes the pictures that the decoder has ready; n of them came before.
func (f *File) empty(n int, faults *Faults, take func(n int, p picture) error) (int, error) {
	for range maxPerPacket {
		p, ok, err := f.h.receive()
		if err != nil {
			faults.Packets++
			continue // a damaged picture
		}
		if !ok {
			return n, nil
		}
		if p.marked {
			faults.Damaged++
		}
		if err := take(n, p); err != nil {
			return n, err
		}
		n++
	}
	return n, errEndless
}
