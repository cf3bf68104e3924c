package onednn

import (
	"context"
	"errors"
	"slices"
	"time"
	"unsafe"

	"github.com/pptsn/pptsn/graph"
)

// A LayerTime is the time that one step of a network takes.
type LayerTime struct {
	Layer  string // the node that asked for it, as printed, or the value that is laid out otherwise
	Kernel string // oneDNN's name of what computes it; "" for plain Go
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
	layers := make([]LayerTime, len(prog.steps))
	for i, s := range prog.steps {
		t := slices.Sorted(slices.Values(times[i][1:]))
		layers[i] = LayerTime{Layer: s.layer, Kernel: s.kernel, FLOPs: s.flops, Time: t[len(t)/2]}
	}
	return layers, rows, nil
}
