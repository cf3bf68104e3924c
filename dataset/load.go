package dataset

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/jpeg"
	"github.com/pptsn/pptsn/video"
)

// grace is how long a clip that is no longer wanted may take to notice. What
// takes longer is left behind: a file system that hangs, for one.
const grace = 3 * time.Second

// Load reads clip i. rng is needed where the specification is random. Errors
// name the line of the list and the file; they are those of packages video and
// clip, context.DeadlineExceeded after Options.Timeout, and ctx's own.
func (s *Set) Load(ctx context.Context, i int, rng *rand.Rand) (*clip.Clip, error) {
	r := s.load(ctx, i, rng)
	return r.clip, r.err
}

// A reading is what came of reading one clip.
type reading struct {
	clip              *clip.Clip
	err               error
	decode, transform time.Duration
}

// load waits for the clip no longer than it may take.
func (s *Set) load(ctx context.Context, i int, rng *rand.Rand) reading {
	if err := ctx.Err(); err != nil {
		return reading{err: err}
	}
	timed, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	done := make(chan reading, 1)
	sample := s.Sample(i)
	go func() { done <- s.read(timed, sample, rng) }()
	r := await(timed, done)
	switch {
	case r.err == nil:
	case ctx.Err() != nil:
		r.err = ctx.Err()
	case timed.Err() != nil:
		r.err = fmt.Errorf("%s:%d: %s: not read within %v: %w", s.o.List, sample.Line, sample.Path, s.o.Timeout, timed.Err())
	default:
		r.err = fmt.Errorf("%s:%d: %w", s.o.List, sample.Line, r.err)
	}
	return r
}

func await(ctx context.Context, done <-chan reading) reading {
	select {
	case r := <-done:
		return r
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case r := <-done:
		return r
	case <-timer.C:
		return reading{err: ctx.Err()}
	}
}

// read reads the clip, whatever is in the file: a fault of a decoder is the
// clip's error, not the end of a run of days.
func (s *Set) read(ctx context.Context, sample Sample, rng *rand.Rand) (r reading) {
	begin := time.Now()
	defer func() {
		if p := recover(); p != nil {
			r = reading{err: fmt.Errorf("%s: panic: %v", sample.Path, p)}
		}
		r.transform = time.Since(begin) - r.decode
	}()
	src, err := s.open(ctx, sample)
	if err != nil {
		return reading{err: err, decode: time.Since(begin)}
	}
	defer src.Close()
	r.decode = time.Since(begin)
	if r.clip, err = clip.Load(ctx, timedSource{src, &r.decode}, s.o.Spec, clip.Options{Rand: rng}); err != nil {
		r.err = fmt.Errorf("%s: %w", sample.Path, err)
	}
	return r
}

// A source is a clip.Source to be closed.
type source interface {
	clip.Source
	Close() error
}

func (s *Set) open(ctx context.Context, sample Sample) (source, error) {
	if s.o.Frames {
		return folder{&clip.Folder{Dir: sample.Path, Pattern: s.o.Pattern, N: sample.Frames, Decode: jpeg.Decode}}, nil
	}
	return s.o.Cache.Open(ctx, sample.Path, video.Options{})
}

type folder struct{ *clip.Folder }

func (folder) Close() error { return nil }

// A timedSource adds up how long frames take.
type timedSource struct {
	source
	spent *time.Duration
}

func (t timedSource) Frames(ctx context.Context, indices []int) ([]*frame.RGB, error) {
	begin := time.Now()
	defer func() { *t.spent += time.Since(begin) }()
	return t.source.Frames(ctx, indices)
}
