package dataset

import (
	"context"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/pptsn/pptsn/clip"
)

// Loaded is one clip as Clips yields it.
type Loaded struct {
	Sample int // index into the Set
	Clip   *clip.Clip
	Err    error         // why there is no Clip
	Took   time.Duration // to read and scale it
}

// Clips loads the samples order[0], order[1], ... on that many goroutines (0:
// the caller's own) and yields them in that order. A sample that cannot be read
// is yielded with Err set. At most twice as many clips as workers wait to be
// taken.
//
// rng gives the random numbers of a sample; it may be nil where the
// specification is not random, and is called by several goroutines. The sequence
// ends early, without a word, when ctx does.
func (s *Set) Clips(ctx context.Context, order []int, workers int, rng func(sample int) *rand.Rand) iter.Seq[Loaded] {
	if rng == nil {
		rng = func(int) *rand.Rand { return nil }
	}
	p := pipeline[*Loaded]{
		groups: len(order), workers: max(workers, 0), ahead: max(2*workers, 1),
		begin: func(g int) (*Loaded, int) { return &Loaded{Sample: order[g]}, 1 },
		item: func(ctx context.Context, l *Loaded, _ int) {
			begin := time.Now()
			l.Clip, l.Err = s.Load(ctx, l.Sample, rng(l.Sample))
			l.Took = time.Since(begin)
		},
		finish: func(*Loaded) {},
	}
	return func(yield func(Loaded) bool) {
		for l := range p.run(ctx) {
			if !yield(*l) {
				return
			}
		}
	}
}
