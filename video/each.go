package video

import (
	"context"
	"time"

	"github.com/pptsn/pptsn/frame"
)

// A Picture is one frame while Each goes through a file.
type Picture struct {
	Index   int           // from 0
	Time    time.Duration // since the first frame, by its time stamp; by the rate where there is none
	Damaged bool          // the decoder marked it as damaged, or repaired it

	h             *handle
	width, height int // of the first frame
}

// RGB is the frame as File.Frames gives it. It can be asked for only while Each
// is at this picture.
func (p *Picture) RGB() (*frame.RGB, error) { return p.h.rgb(p.width, p.height) }

// Sum is a hash (MurmurHash3) of the picture as the decoder made it, before any
// conversion: of every fourth row, and of luma only where chroma has planes of its
// own. It is equal in files that differ in their containers only. It is no
// protection against people who mean harm. Like RGB it is for the time of take.
func (p *Picture) Sum() [16]byte { return p.h.sum() }

// Each decodes the whole file and gives each frame to take, in order. What is in
// memory does not depend on their number. Afterwards Len is exact. An error of
// take ends it and is returned as it is; the others are those of Count.
func (f *File) Each(ctx context.Context, take func(*Picture) error) (Faults, error) {
	leave, err := f.enter(ctx)
	if err != nil {
		return Faults{}, err
	}
	defer leave()
	p := Picture{h: f.h}
	first, resized := noTime, 0
	n, faults, err := f.play(ctx, func(n int, is picture) error {
		if n == 0 {
			p.width, p.height = f.h.size()
			first = is.pts
		}
		if w, h := f.h.size(); w != p.width || h != p.height {
			resized++
		}
		p.Index, p.Damaged, p.Time = n, is.marked, f.timeOf(n, is.pts, first)
		return take(&p)
	})
	faults.Resized = resized
	if err == nil {
		f.settle(n)
	}
	return faults, err
}

// timeOf is when frame n is shown, after the first.
func (f *File) timeOf(n int, pts, first int64) time.Duration {
	switch {
	case pts != noTime && first != noTime && f.s.tick > 0:
		return seconds(float64(pts-first) * f.s.tick)
	case f.s.rate > 0:
		return seconds(float64(n) / f.s.rate)
	}
	return 0
}
