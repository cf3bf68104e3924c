package clip

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

// ErrNoFrames reports a source without a single frame.
var ErrNoFrames = errors.New("no frames")

// maxSegments bounds what a specification read from a file can ask for.
const maxSegments = 1 << 16

// Indices chooses Segments frames of a source of n, counted from 0, all of
// them below n. rng is asked only if s.Random; it may be nil otherwise.
//
// The arithmetic is the reference's (paddlevideo/loader/pipelines/sample.py),
// float64 where Python's is: exact fractions give other frames for hundreds of
// lengths. Two results of the reference's reader of frame folders are not
// copied: it asks for files past the end when Plain meets a short clip, where
// this wraps around as the reference does for videos; and it counts from 1,
// which here only file names do.
func (s Sampling) Indices(n int, rng *rand.Rand) ([]int, error) {
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("clip: sampling: %w", err)
	}
	if n < 1 {
		return nil, fmt.Errorf("clip: sampling: %w", ErrNoFrames)
	}
	if s.Random && rng == nil {
		return nil, errNoRand
	}
	out := make([]int, s.Segments)
	switch s.Mode {
	case SelectLeft:
		s.selectLeft(out, n, rng)
	case Linspace:
		linspace(out, n)
	case Plain:
		s.plain(out, n, rng)
	}
	return out, nil
}

func (s Sampling) validate() error {
	switch s.Mode {
	case SelectLeft, Plain:
	case Linspace:
		if s.Random {
			return errors.New("linspace cannot be random")
		}
	default:
		return fmt.Errorf("mode %q: want %s, %s or %s", s.Mode, SelectLeft, Linspace, Plain)
	}
	if s.Segments < 1 || s.Segments > maxSegments {
		return fmt.Errorf("segments %d: want 1 to %d", s.Segments, maxSegments)
	}
	return nil
}

// selectLeft leaves out zeroed for clips too short to cut into segments.
func (s Sampling) selectLeft(out []int, n int, rng *rand.Rand) {
	k := len(out)
	if s.Random {
		if n >= k {
			segments(out, n/k, rng)
		}
		return
	}
	if n <= k {
		return
	}
	length := float64(n) / float64(k)
	for x := range out {
		out[x] = int(length/2 + float64(length*float64(x))) // the conversion forbids fused multiply-add
	}
}

func (s Sampling) plain(out []int, n int, rng *rand.Rand) {
	d := n / len(out)
	switch {
	case d == 0:
		for x := range out {
			out[x] = x % n
		}
	case s.Random:
		segments(out, d, rng)
	default:
		for x := range out {
			out[x] = x*d + (d-1)/2
		}
	}
}

// segments draws a frame from each segment of d frames.
func segments(out []int, d int, rng *rand.Rand) {
	for x := range out {
		out[x] = x*d + rng.IntN(d)
	}
}

// linspace is numpy.linspace(0, n-1, k), truncated.
func linspace(out []int, n int) {
	k := len(out)
	if k == 1 {
		return // the first frame
	}
	step := float64(n-1) / float64(k-1)
	for x := range out {
		out[x] = min(int(float64(x)*step), n-1)
	}
	out[k-1] = n - 1
}
