package window

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
)

// A job is a window that is ready for the network.
type job struct {
	w    Window
	clip *clip.Clip
}

var errChanged = errors.New("it gave other frames when it was decoded again: did the file change?")

// A reader goes through a video and makes jobs of its windows. It holds the
// scaled pictures that windows which have begun still need, and no others.
type reader struct {
	f        *video.File
	sampling clip.Sampling
	scale    func(*frame.RGB) (*frame.RGB, error)
	rest     clip.Spec // what follows the scaling
	plan     plan
	done     int // windows that were handed on

	begun []Window           // and not handed on, in order
	need  map[int]int        // frame: how many windows want it
	held  map[int]*frame.RGB // frames by number
	most  int                // that were held at a time
}

func newReader(f *video.File, spec clip.Spec, o Options) *reader {
	r := &reader{f: f, sampling: spec.Sampling, plan: newPlan(o, clocked(f.Times()), f.Info().FPS)}
	r.scale, r.rest = spec.Ahead()
	return r
}

// read hands on the windows, in order. The packets' times are believed until a
// frame comes out otherwise: windows before that are right, since nothing that is
// in them was different. The pass then goes on to learn the real times, and
// another one makes the other windows.
func (r *reader) read(ctx context.Context, hand func(job) error) error {
	for range 2 {
		times, agreed, err := r.pass(ctx, hand)
		switch {
		case err != nil:
			return err
		case len(times) == 0:
			return video.ErrNoFrames
		case agreed:
			return nil
		}
		r.plan = newPlan(r.plan.o, times, r.f.Info().FPS)
	}
	return errChanged
}

// pass decodes the video once and hands on windows as long as the frames come at
// the times of the plan. It returns their real times and whether those are the
// plan's, so that all windows were handed on.
func (r *reader) pass(ctx context.Context, hand func(job) error) (times []time.Duration, agreed bool, err error) {
	r.begun, r.need, r.held = nil, map[int]int{}, map[int]*frame.RGB{}
	var c clock
	agreed, n := true, 0
	_, err = r.f.Each(ctx, func(p *video.Picture) error {
		at := c.time(p.Time)
		n++
		if agreed && r.plan.agrees(p.Index, at) {
			return r.add(ctx, p, hand)
		}
		if agreed { // the first surprise
			agreed, times = false, slices.Clone(r.plan.times[:p.Index])
			r.begun, r.need, r.held = nil, nil, nil
		}
		times = append(times, at)
		return nil
	})
	switch {
	case err != nil || !agreed:
		return times, false, err
	case n < len(r.plan.times):
		return r.plan.times[:n], false, nil
	}
	return r.plan.times, true, r.finish(ctx, n, hand)
}

// add takes a picture if a window wants it.
func (r *reader) add(ctx context.Context, p *video.Picture, hand func(job) error) error {
	if err := r.finish(ctx, p.Index, hand); err != nil {
		return err
	}
	if err := r.begin(p.Index); err != nil || r.need[p.Index] == 0 {
		return err
	}
	img, err := p.RGB()
	if err != nil {
		return fmt.Errorf("frame %d: %w", p.Index, err)
	}
	if r.held[p.Index], err = r.scale(img); err != nil {
		return err
	}
	r.most = max(r.most, len(r.held))
	return nil
}

// begin chooses the frames of the windows whose first one is frame i.
func (r *reader) begin(i int) error {
	for k := r.done + len(r.begun); k < r.plan.count(); k++ {
		w := r.plan.window(k)
		if w.First > i {
			return nil
		}
		chosen, err := r.sampling.Indices(w.Frames, nil)
		if err != nil {
			return err
		}
		for j := range chosen {
			chosen[j] += w.First
			r.need[chosen[j]]++
		}
		w.Chosen = chosen
		r.begun = append(r.begun, w)
	}
	return nil
}

// finish hands on the windows whose frames all come before frame i.
func (r *reader) finish(ctx context.Context, i int, hand func(job) error) error {
	for len(r.begun) > 0 && r.begun[0].after() <= i {
		w := r.begun[0]
		c, err := clip.Load(ctx, part{w, r.held}, r.rest, clip.Options{})
		if err != nil {
			return err
		}
		r.begun = r.begun[1:]
		r.done++
		r.release(w)
		if err := hand(job{w, c}); err != nil {
			return err
		}
	}
	return nil
}

// release drops the pictures that no other window wants.
func (r *reader) release(w Window) {
	for _, i := range w.Chosen {
		if r.need[i]--; r.need[i] == 0 {
			delete(r.need, i)
			delete(r.held, i)
		}
	}
}

// A part is a window's frames as a video of their own.
type part struct {
	w    Window
	held map[int]*frame.RGB
}

func (p part) Len() int { return p.w.Frames }

func (p part) Frames(_ context.Context, indices []int) ([]*frame.RGB, error) {
	out := make([]*frame.RGB, len(indices))
	for k, i := range indices {
		out[k] = p.held[p.w.First+i]
	}
	return out, nil
}
