package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"
)

// LoaderOptions says how batches are made.
type LoaderOptions struct {
	Batch    int    // clips in a batch of one rank, at least 1
	Workers  int    // goroutines that decode; 0: none besides the caller's, and nothing is read ahead
	Ahead    int    // batches made before they are asked for; 0 means 2
	Shuffle  bool   // another order in each epoch, else the list's
	DropLast bool   // leave out the last batch if it is not full
	Seed     uint64 // of all random numbers
	Mix      *Mix   // nil: clips stay as they are

	// Of Size processes that learn together this is number Rank, from 0. They
	// share one order of an epoch: of its next Size*Batch clips each takes Batch.
	// Without DropLast some may have fewer or none of the last ones. Size 0 means
	// 1: alone.
	Rank, Size int
}

// A Loader makes the batches of an epoch from a Set.
//
// Seed, epoch and sample determine a clip, and with rank and number of the batch
// all of it: the number of workers and where an epoch is taken up change nothing.
// Only mixing is within a rank's batch; else Size ranks see what one would with
// a batch Size times as large.
//
// Up to Ahead batches are in memory besides those that the caller holds.
type Loader struct {
	set   *Set
	o     LoaderOptions
	shape [4]int         // T, 3, H, W of one clip
	free  chan []float32 // memory of batches that were released

	decode, transform, collate atomic.Int64 // nanoseconds
}

// maxBatch bounds the numbers in a batch: 16 GiB.
const maxBatch = 1 << 32

// NewLoader returns a loader for the clips of s. It is an error if their views
// have no common size for want of a crop, or if an epoch would have no batch.
func NewLoader(s *Set, o LoaderOptions) (*Loader, error) {
	o.Ahead, o.Size = cmp.Or(o.Ahead, 2), cmp.Or(o.Size, 1)
	if o.Batch < 1 || o.Workers < 0 || o.Ahead < 1 {
		return nil, fmt.Errorf("dataset: batches of %d clips, %d workers, %d batches ahead: want at least 1, 0 and 1", o.Batch, o.Workers, o.Ahead)
	}
	if o.Rank < 0 || o.Rank >= o.Size {
		return nil, fmt.Errorf("dataset: rank %d of %d: want one from 0 to below the number of ranks", o.Rank, o.Size)
	}
	h, w := s.o.Spec.Size()
	if h == 0 {
		return nil, errors.New("dataset: clips of several sizes do not fit into one batch: add a crop to the pipeline")
	}
	l := &Loader{set: s, o: o, shape: [4]int{s.o.Spec.Views(), 3, h, w}, free: make(chan []float32, o.Ahead+2)}
	if l.Batches() == 0 {
		return nil, l.tooFew()
	}
	if o.Batch > maxBatch/l.clipSize() {
		return nil, fmt.Errorf("dataset: a batch of %d clips of %v is too large: set batch_size to at most %d", o.Batch, l.shape, maxBatch/l.clipSize())
	}
	if o.Mix != nil {
		if err := o.Mix.check(); err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
	}
	return l, nil
}

func (l *Loader) tooFew() error {
	n, ranks := l.set.Len(), ""
	if l.o.Size > 1 {
		ranks = fmt.Sprintf(" for each of %d ranks", l.o.Size)
	}
	if n < l.o.Size {
		return fmt.Errorf("dataset: %s: %d clips for %d ranks: use fewer processes", l.set.o.List, n, l.o.Size)
	}
	return fmt.Errorf("dataset: %s: %d clips make no batch of %d%s: set batch_size to at most %d", l.set.o.List, n, l.o.Batch, ranks, n/l.o.Size)
}

// Rank is which of Size processes that learn together this loader is for.
func (l *Loader) Rank() int { return l.o.Rank }

// Size is how many processes learn together.
func (l *Loader) Size() int { return l.o.Size }

// Batch is how many clips a whole batch of one rank has.
func (l *Loader) Batch() int { return l.o.Batch }

// SetSeed changes the seed. Not while an epoch is under way.
func (l *Loader) SetSeed(seed uint64) { l.o.Seed = seed }

// Batches is the number of batches in an epoch, on all ranks the same.
func (l *Loader) Batches() int {
	n, whole := l.set.Len(), l.o.Size*l.o.Batch
	if l.o.DropLast {
		return n / whole
	}
	return (n-1)/whole + 1
}

// Epoch yields the batches of an epoch, counted from 0, beginning with batch
// from: the batches before it are not loaded. When ctx ends, its error is the
// last that is yielded; clips that cannot be read are no error but in Batch.Bad.
func (l *Loader) Epoch(ctx context.Context, epoch, from int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		if epoch < 0 || from < 0 {
			yield(nil, fmt.Errorf("dataset: epoch %d from batch %d: want both from 0", epoch, from))
			return
		}
		order := l.order(epoch)
		p := pipeline[*Batch]{
			groups: max(l.Batches()-from, 0), workers: l.o.Workers, ahead: l.o.Ahead,
			begin:  func(g int) (*Batch, int) { return l.begin(order, epoch, from+g) },
			item:   func(ctx context.Context, b *Batch, i int) { b.load(ctx, i) },
			finish: (*Batch).finish,
		}
		for b := range p.run(ctx) {
			if !yield(b, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// order is the order of the samples in an epoch.
func (l *Loader) order(epoch int) []int {
	if l.o.Shuffle {
		return stream(forOrder, l.o.Seed, epoch, 0).Perm(l.set.Len())
	}
	order := make([]int, l.set.Len())
	for i := range order {
		order[i] = i
	}
	return order
}

func (l *Loader) begin(order []int, epoch, index int) (b *Batch, clips int) {
	first := min((index*l.o.Size+l.o.Rank)*l.o.Batch, len(order))
	samples := order[first:min(first+l.o.Batch, len(order))]
	b = &Batch{Index: index, Lambda: 1, loader: l, memory: l.take(), slots: make([]slot, len(samples)), epoch: epoch}
	for i, s := range samples {
		b.slots[i].sample = s
	}
	return b, len(samples)
}

// clipSize is how many numbers a clip has.
func (l *Loader) clipSize() int { return l.shape[0] * l.shape[1] * l.shape[2] * l.shape[3] }

// take returns memory for a batch, whatever is in it.
func (l *Loader) take() []float32 {
	select {
	case m := <-l.free:
		return m
	default:
		return make([]float32, l.o.Batch*l.clipSize())
	}
}

func (l *Loader) give(m []float32) {
	select {
	case l.free <- m:
	default: // enough is kept
	}
}

// Times says what the loader's goroutines spent their time on, added up.
type Times struct {
	Decode    time.Duration // opening files and decoding frames
	Transform time.Duration // scaling, choosing crops
	Collate   time.Duration // normalising into the batch, mixing
}

// Times is what was spent since it was asked last.
func (l *Loader) Times() Times {
	return Times{
		Decode:    time.Duration(l.decode.Swap(0)),
		Transform: time.Duration(l.transform.Swap(0)),
		Collate:   time.Duration(l.collate.Swap(0)),
	}
}
