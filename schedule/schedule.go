// Package schedule gives the learning rate of every iteration.
//
// The rates are those of the reference's schedulers, which move from one step
// to the next by float64 arithmetic whose rounding adds up
// (paddlevideo/solver/custom_lr.py and Paddle's python/paddle/optimizer/lr.py).
// Here they are functions of the iteration, so a run goes on from a number.
package schedule

import "fmt"

// A Schedule is a learning rate with the length of an epoch. Its methods give
// the same answer whenever they are asked, in any order and by any number of
// goroutines. They panic for negative iterations.
type Schedule struct {
	spec     LearningRate
	perEpoch int // iterations
	walk     *walk
}

// New returns the schedule of a run with that many iterations in an epoch. An
// iteration is a batch: where several are accumulated into one update, the
// reference's schedulers still advance by the batch.
func New(spec LearningRate, itersPerEpoch int) (*Schedule, error) {
	if itersPerEpoch < 1 {
		return nil, fmt.Errorf("schedule: %d iterations in an epoch: want at least 1", itersPerEpoch)
	}
	if err := spec.check(); err != nil {
		return nil, fmt.Errorf("schedule: %w", err)
	}
	s := &Schedule{spec: spec, perEpoch: itersPerEpoch}
	switch {
	case spec.WarmupCosine != nil:
		step := 1 / float64(itersPerEpoch)
		s.walk = newWalk(0, func(_ int, position float64) float64 { return position + step })
	case spec.Cosine != nil:
		s.walk = newWalk(spec.Cosine.Base, spec.Cosine.next)
	}
	return s, nil
}

// At is the rate of the update in iteration iter, counted from 0 over the whole
// run.
func (s *Schedule) At(iter int) float64 {
	steps := s.steps(iter)
	switch r := s.spec; {
	case r.WarmupCosine != nil:
		return r.WarmupCosine.at(s.walk.at(steps))
	case r.Piecewise != nil:
		return r.Piecewise.at(steps)
	case r.Cosine != nil:
		return s.walk.at(steps)
	case r.LinearWarmup != nil:
		return r.LinearWarmup.at(steps)
	}
	return s.spec.Constant
}

// Position is Paddle's last_epoch in iteration iter: epochs, with WarmupCosine
// in fractions that carry the rounding of their sum; iterations with
// PerIteration.
func (s *Schedule) Position(iter int) float64 {
	steps := s.steps(iter)
	if s.spec.WarmupCosine != nil {
		return s.walk.at(steps)
	}
	return float64(steps)
}

// steps is how often the schedule has advanced before iteration iter: after
// each iteration, or after each epoch.
func (s *Schedule) steps(iter int) int {
	if iter < 0 {
		panic(fmt.Sprintf("schedule: iteration %d", iter))
	}
	if s.spec.Iterates() {
		return iter
	}
	return iter / s.perEpoch
}
