package dataset

import (
	"context"
	"errors"
	"time"
)

// A Pass is what it took to make the batches of an epoch once.
type Pass struct {
	Clips int           // that were read
	Bad   []Bad         // that were not
	Took  time.Duration // from the first batch asked for to the last one had
	Times Times         // of all goroutines, waiting for a core included
}

// Measure makes all batches of an epoch, gives each back at once, and says how
// long that took: the most that training could get from this loader.
func (l *Loader) Measure(ctx context.Context, epoch int) (Pass, error) {
	var p Pass
	l.Times() // from here on
	begin := time.Now()
	for b, err := range l.Epoch(ctx, epoch, 0) {
		if err != nil {
			return p, err
		}
		p.Clips += len(b.Samples)
		p.Bad = append(p.Bad, b.Bad...)
		b.Release()
	}
	p.Took, p.Times = time.Since(begin), l.Times()
	return p, nil
}

// WithWorkers is a loader of the same batches on another number of goroutines.
// Both share the memory of released batches.
func (l *Loader) WithWorkers(n int) (*Loader, error) {
	if n < 0 {
		return nil, errors.New("dataset: fewer than 0 workers")
	}
	o := l.o
	o.Workers = n
	return &Loader{set: l.set, o: o, shape: l.shape, free: l.free}, nil
}

// Spread is n clips of the list, at even distances, as a list of their own; all
// of them if there are no more. Lines and errors stay those of the list.
func (s *Set) Spread(n int) *Set {
	if n >= s.Len() || n < 1 {
		return s
	}
	part := &Set{o: s.o, entries: make([]entry, n)}
	for i := range part.entries {
		part.entries[i] = s.entries[i*s.Len()/n]
	}
	return part
}
