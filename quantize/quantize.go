// Package quantize chooses how a network is computed in 8-bit integers, from what
// it computes on real clips in float32.
//
// Which values are held in 8 bits follows from the graph (hold), the scale of each
// from a histogram of its magnitudes (threshold), and which of several ways to
// read the histogram from how far probabilities move with it. What the
// choice costs is measured layer by layer, and on clips that had no part in it.
package quantize

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
)

// Options says what is quantised, with what. Bundle, Spec, Calibrate and Check are
// needed.
type Options struct {
	Bundle    *bundle.Bundle
	Spec      clip.Spec // how a video becomes the network's input
	Calibrate []Sample  // clips to choose scales with
	Check     []Sample  // other clips, to compare int8 with float32

	Views        int      // of each clip to calibrate with, evenly spread; 0 means 4
	Method       Method   // "" is Auto
	Keep         []string // convolutions that stay in float32
	MinAgreement float64  // share of the clips to check with, in [0, 1]. Below it more layers are kept in float32
	Threads      int      // for the network; 0: one for each core
	Workers      int      // videos decoded at a time; 0 means 1

	Progress func(what string, done, total int) // nil: not wanted; not called by several goroutines at once
	Skipped  func(path string, err error)       // a clip that cannot be read is left out; nil: without a word
}

// A Result is a choice of scales and what came of it.
type Result struct {
	Method string  // the candidate whose scales they are
	Trials []Trial // of all candidates
	First  Attempt // with no more layers in float32 than asked for
	Attempt
}

// An Attempt is scales for all layers but some.
type Attempt struct {
	Scales    graph.Scales
	Float     []string // convolutions in float32, in the order of the graph
	Layers    []Layer  // the others
	Agreement Agreement

	held holding
}

// A job is Options at work.
type job struct {
	Options
	net *network
}

// Run chooses scales for a model. They may agree less with float32 than asked
// for: that is the caller's to judge.
func Run(ctx context.Context, o Options) (*Result, error) {
	j, err := newJob(o)
	if err != nil {
		return nil, err
	}
	every, h := hold(j.net.whole, j.net.float), hold(j.net.whole, j.Keep)
	if len(h.layers) == 0 {
		return nil, errors.New("no convolution is left that could multiply integers")
	}
	c, err := j.calibrate(ctx, every.values())
	if err != nil {
		return nil, err
	}
	best, trials, err := j.choose(ctx, c, h)
	if err != nil {
		return nil, err
	}
	float, err := j.checkFloat(ctx)
	if err != nil {
		return nil, err
	}
	r := &Result{Method: best.name, Trials: trials}
	if r.First, err = j.attempt(ctx, c, best.threshold, j.Keep, float); err != nil {
		return nil, err
	}
	if err := j.measure(ctx, c, &r.First); err != nil {
		return nil, err
	}
	r.Attempt, err = j.search(ctx, c, best.threshold, r.First, float)
	return r, err
}

func newJob(o Options) (*job, error) {
	if o.Views == 0 {
		o.Views = 4
	}
	if o.Method == "" {
		o.Method = Auto
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if o.Skipped == nil {
		o.Skipped = func(string, error) {}
	}
	if err := o.Bundle.Fits(o.Spec); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Bundle.Path, err)
	}
	net, err := newNetwork(o.Bundle, o.Spec)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Bundle.Path, err)
	}
	if err := checkKeep(net.whole, o.Keep); err != nil {
		return nil, err
	}
	o.Keep = slices.Concat(o.Keep, net.float)
	return &job{Options: o, net: net}, nil
}

// attempt sees what comes of a threshold and of keeping layers in float32.
func (j *job) attempt(ctx context.Context, c *calibration, t threshold, keep []string, float []verdict) (Attempt, error) {
	h := hold(j.net.whole, keep)
	a := Attempt{Scales: h.scales(c.counts, t), Float: h.float(j.net.whole), held: h}
	var err error
	a.Agreement, err = j.checkIntegers(ctx, a.Scales, float)
	return a, err
}

// measure fills in the layers of an attempt.
func (j *job) measure(ctx context.Context, c *calibration, a *Attempt) (err error) {
	a.Layers, err = j.layers(ctx, c, a.held, a.Scales)
	return err
}

// each calls f with the clips that can be read, and returns their samples.
func (j *job) each(ctx context.Context, what string, samples []Sample, f func(loaded) error) (read []Sample, err error) {
	done := 0
	for l := range load(ctx, samples, j.Spec, j.Workers) {
		done++
		if l.err != nil && ctx.Err() == nil {
			j.Skipped(l.Path, l.err)
		}
		if l.err == nil {
			if err := f(l); err != nil {
				return nil, err
			}
			read = append(read, l.Sample)
		}
		j.Progress(what, done, len(samples))
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(read) < leastClips {
		return nil, &TooFewError{Use: what, Readable: len(read), Skipped: done - len(read)}
	}
	return read, nil
}
