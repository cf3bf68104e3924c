package video

import "time"

// A Pace makes times that [Writer.Write] takes out of those of a video's frames,
// some of which stand still or go back. The zero value is before the first frame.
type Pace struct {
	begun bool
	last  time.Duration
}

// Next is when the next frame is shown: at its own time, or 1 ms behind the frame
// before it where its own is not 20 µs later. Frames of which nothing is known,
// with times of 0, are shown at 25 a second.
func (p *Pace) Next(at time.Duration) time.Duration {
	const least = 20 * time.Microsecond // more than a tick of both encoders
	switch stands := p.begun && at < p.last+least; {
	case stands && at == 0:
		at = p.last + time.Second/25
	case stands:
		at = p.last + time.Millisecond
	}
	p.begun, p.last = true, at
	return at
}
