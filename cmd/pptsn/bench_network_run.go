package main

import (
	"cmp"
	"context"
	"github.com/pptsn/pptsn/internal/turns"
	"io"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/peak"
)

const (
	benchRest = 250 * time.Millisecond // before each turn: ONNX Runtime's threads go on spinning for longer than 20 ms
	peakTime  = 50 * time.Millisecond  // for each measurement of the cores' peak
)

// A networkSeries is all turns of one engine with one batch.
type networkSeries struct {
	engine      *benchEngine
	clips       []*clip.Clip
	threads     int              // of the CPU that compute
	instruction peak.Instruction // the zero value: the peak is not known
	seconds     []float64        // of a batch, in each turn
	peaks       []float64        // operations a second
}

// measureNetwork readies all engines and lets them take turns.
func measureNetwork(ctx context.Context, o benchOptions, s *benchSubject, stderr io.Writer) ([]networkRow, error) {
	b := &networkBench{benchOptions: o, subject: s, err: stderr}
	for _, n := range o.batches {
		clips, err := s.noise(ctx, n)
		if err != nil {
			return nil, err
		}
		b.inputs = append(b.inputs, clips)
	}
	defer b.close()
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	var series []*networkSeries
	for _, clips := range b.inputs {
		for _, e := range b.engines {
			series = append(series, b.newSeries(e, clips))
		}
	}
	err := b.takeTurns(stderr, "bench network", len(series), func(i int) error { return series[i].turn(ctx, b.atLeast()) })
	if err != nil {
		return nil, err
	}
	return b.rows(series)
}

func (b *networkBench) newSeries(e *benchEngine, clips []*clip.Clip) *networkSeries {
	s := &networkSeries{engine: e, clips: clips}
	if !e.place.onCPU() {
		return s
	}
	s.threads = b.threads()
	s.instruction = instructionFor(e.precision)
	return s
}

// threads is how many compute on the CPU.
func (o *benchOptions) threads() int { return cmp.Or(o.engine.threads, o.cores) }

// instructionFor is the one that computes fastest in a precision, if this
// processor's is known.
func instructionFor(p graph.Precision) peak.Instruction {
	var i peak.Instruction
	switch p {
	case graph.FP32:
		i, _ = peak.FP32()
	case graph.BF16:
		i, _ = peak.BF16()
	case graph.INT8:
		i, _ = peak.INT8()
	}
	return i
}

// turn computes the batch again and again for that time, and then measures the
// peak, before the clock of the cores has changed.
func (s *networkSeries) turn(ctx context.Context, atLeast time.Duration) error {
	if err := pause(ctx, benchRest); err != nil {
		return err
	}
	if _, err := s.engine.run.Scores(ctx, s.clips); err != nil { // to warm up: threads are started anew, caches hold others' numbers
		return err
	}
	var runs []float64 // seconds; a median of them, since the machine may be another's for a while
	for begin := time.Now(); len(runs) == 0 || time.Since(begin) < atLeast; {
		each := time.Now()
		if _, err := s.engine.run.Scores(ctx, s.clips); err != nil {
			return err
		}
		runs = append(runs, time.Since(each).Seconds())
	}
	s.engine.run.Rest()
	if err := pause(ctx, benchRest); err != nil { // else the peak would be that of what spinning threads leave
		return err
	}
	s.seconds = append(s.seconds, turns.Median(runs))
	if s.instruction.Name != "" {
		s.peaks = append(s.peaks, s.instruction.Speed(s.threads, peakTime))
	}
	return nil
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
