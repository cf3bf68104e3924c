package quantize

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/internal/ordered"
	"github.com/pptsn/pptsn/video"
)

// Unlabelled is the Label of a clip of which the class is not known.
const Unlabelled = -1

// A Sample is a video file.
type Sample struct {
	Path  string
	Label int // class, or Unlabelled
}

// file is the path without links and detours.
func (s Sample) file() string {
	path, err := filepath.Abs(s.Path)
	if err != nil {
		path = filepath.Clean(s.Path)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path // it is not there, which is said when it is read
}

// leastClips is how many clips are needed to calibrate with, and to check with.
const leastClips = 4

// splitSeed makes the choice of clips the same each time.
const splitSeed = 8

// Split chooses up to that many samples, at most half of them, to calibrate
// with; the others are to check with. A file that comes twice counts once, by
// whatever path. The same samples are split alike each time.
func Split(samples []Sample, calibrate int) (calibration, check []Sample) {
	samples = shuffled(samples)
	n := min(calibrate, len(samples)/2)
	return samples[:n], samples[n:]
}

// Without chooses up to that many samples to calibrate with, none of which is in
// check.
func Without(samples, check []Sample, calibrate int) []Sample {
	checked := map[string]bool{}
	for _, s := range check {
		checked[s.file()] = true
	}
	rest := slices.DeleteFunc(shuffled(samples), func(s Sample) bool { return checked[s.file()] })
	return rest[:min(calibrate, len(rest))]
}

// shuffled are distinct samples in an order that depends on nothing else.
func shuffled(samples []Sample) []Sample {
	seen, distinct := map[string]bool{}, []Sample(nil)
	for _, s := range samples {
		if file := s.file(); !seen[file] {
			seen[file] = true
			distinct = append(distinct, s)
		}
	}
	rng := rand.New(rand.NewPCG(splitSeed, 0))
	rng.Shuffle(len(distinct), func(i, j int) { distinct[i], distinct[j] = distinct[j], distinct[i] })
	return distinct
}

// loaded is a sample's clip, or why there is none.
type loaded struct {
	Sample
	clip *clip.Clip
	err  error
}

// load reads the samples ahead of their use and yields them in order. It ends
// early when ctx does.
func load(ctx context.Context, samples []Sample, spec clip.Spec, workers int) iter.Seq[loaded] {
	return ordered.Map(ctx, slices.Values(samples), workers, 1, func(ctx context.Context, s Sample) loaded {
		c, err := loadClip(ctx, s.Path, spec)
		return loaded{s, c, err}
	})
}

func loadClip(ctx context.Context, path string, spec clip.Spec) (*clip.Clip, error) {
	f, err := video.Open(ctx, path, video.Options{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := clip.Load(ctx, f, spec, clip.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// A TooFewError reports that too few clips can be read.
type TooFewError struct {
	Use      string // what for, such as "calibrate"
	Readable int    // clips
	Skipped  int    // that cannot be read
}

// Error says how many are needed.
func (e *TooFewError) Error() string {
	s := fmt.Sprintf("%s: too few clips, %d: at least %d are needed", e.Use, e.Readable, leastClips)
	if e.Skipped > 0 {
		s += fmt.Sprintf(" (%d more cannot be read)", e.Skipped)
	}
	return s + ": name more videos"
}
