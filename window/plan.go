package window

import (
	"math"
	"sort"
	"time"
)

// A plan is the windows of a video whose frames' times are known.
type plan struct {
	o     Options
	times []time.Duration // of the frames, ascending from 0
	end   time.Duration   // when the last frame's showing ends
}

// newPlan takes the frames' times, which it keeps. The last frame is shown as long as
// the one before it; if that does not tell, by the rate; if that is 0, for 40 ms.
func newPlan(o Options, times []time.Duration, fps float64) plan {
	last := 40 * time.Millisecond
	if n := len(times); n > 1 && times[n-1] > times[n-2] {
		last = times[n-1] - times[n-2]
	} else if fps > 0 {
		last = time.Duration(math.Round(float64(time.Second) / fps))
	}
	p := plan{o: o, times: times, end: last}
	if len(times) > 0 {
		p.end += times[len(times)-1]
	}
	return p
}

// count is the number of windows. Those that the end of the video cuts off count
// if half of one is there, to within half a frame; the first always.
func (p plan) count() int {
	frame := p.end / time.Duration(max(len(p.times), 1))
	latest := p.end - max(p.o.Length/2-frame/2, time.Microsecond)
	return int(max(latest, 0)/p.o.Stride) + 1
}

func (p plan) window(k int) Window {
	start := time.Duration(k) * p.o.Stride
	stop := start + p.o.Length
	w := Window{Index: k, Of: p.count(), Start: start, End: min(stop, p.end), First: p.at(start)}
	w.Frames = p.at(stop) - w.First
	if w.Frames == 0 {
		w.First, w.Frames = w.First-1, 1 // the first window holds frame 0
	}
	return w
}

// at is the number of the first frame at t or later.
func (p plan) at(t time.Duration) int {
	return sort.Search(len(p.times), func(i int) bool { return p.times[i] >= t })
}

// agrees says that frame i is at that time.
func (p plan) agrees(i int, at time.Duration) bool { return i < len(p.times) && p.times[i] == at }

// A clock makes times of time stamps: whole microseconds, which is finer than
// containers are, so that a frame at 5 s lies in the window that begins there; and
// they never go back.
type clock struct{ last time.Duration }

func (c *clock) time(stamp time.Duration) time.Duration {
	c.last = max(c.last, stamp.Round(time.Microsecond))
	return c.last
}

// clocked makes times of all stamps, in place.
func clocked(stamps []time.Duration) []time.Duration {
	var c clock
	for i, s := range stamps {
		stamps[i] = c.time(s)
	}
	return stamps
}
