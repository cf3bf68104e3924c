package dataset_test

import (
	"slices"
	"testing"

	"github.com/pptsn/pptsn/dataset"
)

// The batches of several ranks, one after the other, are those of one process
// with a batch as large as theirs together.
func TestRanksShareOneOrder(t *testing.T) {
	o := folders(t, 13)
	spoil(t, o, 3)
	set := open(t, o)
	for _, size := range []int{1, 2, 4} {
		for _, drop := range []bool{true, false} {
			for _, workers := range []int{0, 2} {
				lo := dataset.LoaderOptions{Batch: 2 * size, Shuffle: true, DropLast: drop, Seed: 7, Workers: workers}
				want := epoch(t, newLoader(t, set, lo), 2, 0)
				together := make([]dataset.Batch, len(want))
				lo.Batch, lo.Size = 2, size
				for lo.Rank = range size {
					l := newLoader(t, set, lo)
					if l.Batches() != len(want) {
						t.Fatalf("rank %d of %d has %d batches, one process %d", lo.Rank, size, l.Batches(), len(want))
					}
					for i, b := range epoch(t, l, 2, 0) {
						if n := len(b.Samples) + len(b.Bad); n > 2 || drop && n < 2 {
							t.Errorf("rank %d of %d: batch %d of %d clips", lo.Rank, size, i, n)
						}
						join(&together[i], b)
					}
				}
				if err := same(together, want); err != nil {
					t.Errorf("%d ranks, %d workers, last batch dropped %v: %v", size, workers, drop, err)
				}
			}
		}
	}
}

// join appends the clips of a batch to another.
func join(to *dataset.Batch, b dataset.Batch) {
	to.Index, to.Lambda = b.Index, b.Lambda
	to.Samples, to.Labels, to.Bad = append(to.Samples, b.Samples...), append(to.Labels, b.Labels...), append(to.Bad, b.Bad...)
	switch {
	case b.Views == nil:
	case to.Views == nil:
		to.Views = b.Views
	default:
		to.Views.Data = append(to.Views.Data, b.Views.Data...)
		to.Views.Shape[0] += b.Views.Shape[0]
	}
}

// Ranks mix differently; rank 0 as a process that is alone.
func TestRanksMixOnTheirOwn(t *testing.T) {
	set := open(t, folders(t, 8))
	lambdas := func(rank, size int) (all []float32) {
		o := dataset.LoaderOptions{Batch: 2, Seed: 3, Rank: rank, Size: size, Mix: &dataset.Mix{MixupAlpha: 1}}
		for _, b := range epoch(t, newLoader(t, set, o), 0, 0) {
			all = append(all, b.Lambda)
		}
		return all
	}
	alone, first, second := lambdas(0, 1), lambdas(0, 2), lambdas(1, 2)
	if !slices.Equal(first, alone[:2]) {
		t.Errorf("rank 0 of 2 mixes by %v, a process alone by %v", first, alone)
	}
	for i := range second {
		if slices.Contains(alone, second[i]) {
			t.Errorf("both ranks mix by %v and %v", first, second)
		}
	}
}

func TestSetSeed(t *testing.T) {
	set := open(t, folders(t, 10))
	o := dataset.LoaderOptions{Batch: 5, Shuffle: true, Seed: 1}
	want := epoch(t, newLoader(t, set, o), 0, 0)
	o.Seed = 2
	l := newLoader(t, set, o)
	l.SetSeed(1)
	if err := same(epoch(t, l, 0, 0), want); err != nil {
		t.Error(err)
	}
}
