package onednn

import (
	"context"
	"errors"
	"slices"
	"time"
	"unsafe"

	"github.com/pptsn/pptsn/graph"
)

// A LayerTime is the time that one layer of a network takes, all its steps
// together where it is computed a few rows at a time.
type LayerTime struct {
	Layer  string // the node that asked for it, as printed, or the first and last of a chain, or the value that is laid out otherwise
	Kernel string // oneDNN's name of what computes it; "bytes" or "bfloat16" for code of our own, "" for plain Go
	FLOPs  int64  // of the node; 0 for a change of layout
	Time   time.Duration
}

// Profile computes rows views of noise a number of times and returns the median
// time of each step on them: of the part that works on each view alone, or of
// the whole network where there is none. shape is that of the input, as for
// RunRows.
func (e *Engine) Profile(ctx context.Context, runs int, shape []int) (layers []LayerTime, rows int, err error) {
	asked := e.thread.Do(ctx, func(m *machine) { layers, rows, err = m.profile(ctx, runs, shape) })
	return layers, rows, e.grow(errors.Join(asked, err))
}

func (m *machine) profile(ctx context.Context, runs int, shape []int) ([]LayerTime, int, error) {
	p, err := m.plan([][]int{shape})
	if err != nil {
		return nil, 0, err
	}
	if err := m.reserve(p.size); err != nil {
		return nil, 0, err
	}
	prog, slots, rows := p.tail, []unsafe.Pointer{}, graph.Rows(shape)
	for _, at := range p.slots {
		slots = append(slots, unsafe.Add(m.space, at))
	}
	if len(p.counts) > 0 {
		rows, slots = p.counts[0], nil
		prog = p.parts[rows]
		for _, s := range slices.Concat(p.body, p.joints) {
			slots = append(slots, unsafe.Add(m.space, s.at[0]))
		}
	}
	times := make([][]time.Duration, len(prog.steps))
	for range runs + 1 { // the first to warm up
		err := prog.each(m.device, slots, unsafe.Add(m.space, p.arena), func(i int, took time.Duration) { times[i] = append(times[i], took) })
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, 0, err
		}
	}
	return prog.layerTimes(times), rows, nil
}

// layerTimes are the medians but of the first run. Steps that do the same, on
// other rows, are one.
func (p *program) layerTimes(times [][]time.Duration) (layers []LayerTime) {
	for i, s := range p.steps {
		t := slices.Sorted(slices.Values(times[i][1:]))
		at := slices.IndexFunc(layers, func(l LayerTime) bool { return l.Layer == s.layer && l.Kernel == s.kernel })
		if at < 0 {
			at = len(layers)
			layers = append(layers, LayerTime{Layer: s.layer, Kernel: s.kernel})
		}
		layers[at].FLOPs += s.flops
		layers[at].Time += t[len(t)/2]
	}
	return layers
}
