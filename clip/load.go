package clip

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"

	"github.com/pptsn/pptsn/frame"
)

var errNoRand = errors.New("clip: the specification is random: a source of random numbers is needed")

// maxResamples is how often Load follows a source that changes its length.
const maxResamples = 3

// Options tunes Load. The zero value suits specifications without randomness.
type Options struct {
	Rand    *rand.Rand // for Spec.Random; nil is an error there
	Workers int        // goroutines that scale and normalise; 0 and 1 mean the caller's. The result is the same
}

// A Clip holds the chosen frames of one video as 8-bit pictures, scaled, and
// which views to cut from them. It does not change: many goroutines may use it.
type Clip struct {
	Frames []int // [T] the number of each segment's frame, from 0

	views     []view // [V]
	size      image.Point
	normalize Normalize
	table     *table // of normalize
	workers   int
}

// Load chooses frames of src, reads each of them once and scales them. All
// random decisions are one for the whole clip.
//
// A source that fails and says another length afterwards is asked again for
// the frames of that length, so a file with fewer frames than its index
// promises gives what a correct file of its frames would. A source without
// frames gives ErrNoFrames.
func Load(ctx context.Context, src Source, spec Spec, opt Options) (*Clip, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if spec.Random() && opt.Rand == nil {
		return nil, errNoRand
	}
	indices, pics, err := sample(ctx, src, spec.Sampling, opt.Rand)
	if err != nil {
		return nil, err
	}
	c := &Clip{Frames: indices, views: pics, workers: opt.Workers}
	for _, step := range spec.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		op, err := step.operation()
		if err != nil {
			return nil, err
		}
		if c.views, err = op.apply(c.views, env{opt.Rand, opt.Workers}); err != nil {
			return nil, fmt.Errorf("clip: %w", err)
		}
		if step.Normalize != nil {
			c.normalize, c.table = *step.Normalize, step.Normalize.table()
		}
	}
	return c, c.settle()
}

// settle checks that all views have one size.
func (c *Clip) settle() error {
	c.size = c.views[0].size()
	for _, v := range c.views {
		if v.size() != c.size {
			return fmt.Errorf("clip: frames of %s and of %s in one clip: add a crop", pixels(c.size), pixels(v.size()))
		}
	}
	return nil
}

// sample reads one picture for each segment.
func sample(ctx context.Context, src Source, s Sampling, rng *rand.Rand) ([]int, []view, error) {
	var seed [2]uint64
	if s.Random {
		seed = [2]uint64{rng.Uint64(), rng.Uint64()}
	}
	n := src.Len()
	for try := 0; ; try++ {
		// Every try starts from the same seed: the choice depends on the
		// final length, not on how it came to be known.
		indices, err := s.Indices(n, rand.New(rand.NewPCG(seed[0], seed[1])))
		if err != nil {
			return nil, nil, err
		}
		views, err := read(ctx, src, indices)
		if err == nil {
			return indices, views, nil
		}
		now := src.Len()
		switch {
		case ctx.Err() != nil, now == n, try == maxResamples:
			return nil, nil, fmt.Errorf("clip: %w", err)
		case now < 1:
			return nil, nil, fmt.Errorf("clip: %w: %w", ErrNoFrames, err)
		}
		n = now
	}
}

// read asks for each distinct frame once.
func read(ctx context.Context, src Source, indices []int) ([]view, error) {
	distinct := slices.Clone(indices)
	slices.Sort(distinct)
	distinct = slices.Compact(distinct)
	pics, err := src.Frames(ctx, distinct)
	if err != nil {
		return nil, err
	}
	if len(pics) != len(distinct) {
		return nil, fmt.Errorf("source gave %d pictures for %d indices", len(pics), len(distinct))
	}
	out := make([]view, len(indices))
	for i, index := range indices {
		at, _ := slices.BinarySearch(distinct, index)
		out[i] = whole(pics[at])
	}
	return out, nil
}

// Len is V, the number of views.
func (c *Clip) Len() int { return len(c.views) }

// Size is the height and width of the views in pixels.
func (c *Clip) Size() (h, w int) { return c.size.Y, c.size.X }

// Views returns the views from (inclusive) to to (exclusive), normalised:
// float32 [to-from, 3, H, W]. They are written to dst, which must be long
// enough, or to a new slice if dst is nil. Taking a few at a time, a network can
// start on the first while others wait, and needs no memory for all.
func (c *Clip) Views(dst []float32, from, to int) []float32 {
	views := c.views[from:to]
	n := 3 * c.size.X * c.size.Y
	if dst == nil {
		dst = make([]float32, n*len(views))
	}
	dst = dst[: n*len(views) : len(dst)]
	parallel(len(views), c.workers, func(i int) {
		c.table.normalize(dst[i*n:(i+1)*n], views[i])
	})
	return dst
}

// Picture returns view v as it is before it is normalised. It may be shared
// with other views and the source: do not change it.
func (c *Clip) Picture(v int) *frame.RGB { return c.views[v].picture() }
