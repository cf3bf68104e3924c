package video

import (
	"slices"
	"time"
)

// Info describes a file, as its container tells and its packets show.
type Info struct {
	Container     string        // FFmpeg's name of the format, such as "mov,mp4,m4a,3gp,3g2,mj2"
	Codec         string        // FFmpeg's name, such as "h264"
	Width, Height int           // pixels as shown, after rotation
	Rotation      int           // degrees clockwise by which frames are turned to be shown; ffprobe gives the same negated
	FPS           float64       // frames a second, on average; 0 if unknown
	Duration      time.Duration // of the video stream; 0 if unknown
	Claimed       int           // frames, by the container's header; 0 if it does not say
	Interlaced    bool          // coded as fields
	Variable      bool          // frames are not evenly spaced in time
	Untimed       bool          // the file does not say how long it is: Duration follows from its packets, if known
}

// Info describes the file.
func (f *File) Info() Info {
	s := f.s
	i := Info{
		Container: s.container, Codec: s.codec,
		Width: s.width, Height: s.height, Rotation: s.rotation,
		FPS: s.rate, Claimed: s.claimed, Interlaced: s.interlaced, Untimed: !s.timed,
		Duration: seconds(float64(s.duration) * s.tick),
	}
	if s.rotation == 90 || s.rotation == 270 {
		i.Width, i.Height = s.height, s.width
	}
	if t := f.x.times(); len(t) > 0 {
		shortest, longest := int64(0), int64(0)
		for k := 1; k < len(t); k++ {
			d := t[k] - t[k-1]
			if k == 1 || d < shortest {
				shortest = d
			}
			longest = max(longest, d)
		}
		// Containers round time stamps, to 1 ms often.
		i.Variable = float64(longest-shortest)*s.tick > 0.0021 && 2*longest > 3*shortest
		i.Duration = seconds(float64(f.x.end()-t[0]) * s.tick)
	}
	if i.FPS == 0 && i.Duration > 0 {
		i.FPS = float64(f.Len()) / i.Duration.Seconds()
	}
	return i
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// times lists the frames' time stamps in ticks, ascending; none if one lacks.
func (x *index) times() []int64 {
	var t []int64
	for _, p := range x.packets {
		switch {
		case !p.shown():
		case p.pts == noTime:
			return nil
		default:
			t = append(t, p.pts)
		}
	}
	slices.Sort(t)
	return t
}

// end is the time in ticks when the last frame's showing ends.
func (x *index) end() int64 {
	end := noTime
	for _, p := range x.packets {
		if p.shown() {
			end = max(end, p.pts+max(p.duration, 0))
		}
	}
	return end
}
