package dataset

import (
	"context"
	"sync/atomic"
	"testing"
)

// No more groups are begun than are ahead of the one that the consumer took.
func TestPipelineAheadConcurrent(t *testing.T) {
	for _, workers := range []int{0, 1, 4} {
		for _, ahead := range []int{1, 3} {
			var begun, items atomic.Int64
			p := pipeline[*int]{
				groups: 50, workers: workers, ahead: ahead,
				begin:  func(g int) (*int, int) { begun.Add(1); return &g, g % 3 },
				item:   func(context.Context, *int, int) { items.Add(1) },
				finish: func(g *int) { *g *= 2 },
			}
			taken := 0
			for g := range p.run(t.Context()) {
				if *g != 2*taken {
					t.Fatalf("%d workers: group %d came as number %d", workers, *g, taken)
				}
				taken++
				if n := int(begun.Load()); n > taken+ahead {
					t.Fatalf("%d workers: %d groups begun when %d were taken, %d ahead", workers, n, taken, ahead)
				}
			}
			if taken != 50 || items.Load() != 49 {
				t.Errorf("%d workers: %d groups of %d items, want 50 of 49", workers, taken, items.Load())
			}
		}
	}
}
