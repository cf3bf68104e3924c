package video

import "time"

// Times is when each frame is shown, after the first one, as far as the file's
// packets tell without decoding: what [File.Each] says of a file that keeps its
// promises. nil: they do not tell.
func (f *File) Times() []time.Duration {
	stamps := f.x.times()
	if stamps == nil && f.s.rate <= 0 {
		return nil
	}
	times := make([]time.Duration, f.x.frames)
	for n := range times {
		pts, first := noTime, noTime
		if n < len(stamps) {
			pts, first = stamps[n], stamps[0]
		}
		times[n] = f.timeOf(n, pts, first)
	}
	return times
}
