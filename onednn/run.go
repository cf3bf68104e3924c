package onednn

import (
	"context"
	"fmt"
	"slices"
	"unsafe"

	"github.com/pptsn/pptsn/tensor"
)

// A feed writes views from to to, exclusive, of an input into dst.
type feed func(input int, dst []float32, from, to int) error

// A source is where inputs come from: given, if not nil, is where all of each
// lies already.
type source struct {
	fill  feed
	given []unsafe.Pointer
}

// run computes one set of inputs.
func (m *machine) run(ctx context.Context, p *plan, in source) ([]*tensor.Dense, error) {
	if err := m.reserve(p.size); err != nil {
		return nil, err
	}
	for _, s := range p.whole {
		if err := in.fill(s.input, m.floats(s.at[0], s.views*s.row), 0, s.views); err != nil {
			return nil, fmt.Errorf("views 0 to %d: %w", s.views, err)
		}
	}
	if err := m.runBody(ctx, p, in); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	slots := make([]unsafe.Pointer, len(p.slots))
	for i, at := range p.slots {
		slots[i] = unsafe.Add(m.space, at)
	}
	if err := p.tail.run(m.device, slots, unsafe.Add(m.space, p.arena)); err != nil {
		return nil, err
	}
	outputs := make([]*tensor.Dense, len(p.shapes))
	for i, shape := range p.shapes {
		outputs[i] = tensor.New(tensor.Float32, shape...)
		at := p.slots[len(p.slots)-len(p.shapes)+i]
		copy(outputs[i].Float32s(), m.floats(at, outputs[i].Len()))
	}
	return outputs, nil
}

// A chunk is some rows of the body's inputs that are ready to be read.
type chunk struct {
	place      int // which of the two places
	from, rows int
	err        error
}

// runBody computes chunk after chunk.
func (m *machine) runBody(ctx context.Context, p *plan, in source) error {
	if in.given == nil {
		return m.runFilled(ctx, p, in.fill)
	}
	c := chunk{}
	for _, c.rows = range p.counts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.runChunk(p, c, in.given); err != nil {
			return err
		}
		c.from += c.rows
	}
	return nil
}

// runFilled computes chunk after chunk, while another goroutine fills the next.
func (m *machine) runFilled(ctx context.Context, p *plan, fill feed) error {
	free, filled := make(chan int, 2), make(chan chunk, 2)
	free <- 0
	free <- 1
	go func() {
		defer close(filled)
		c := chunk{}
		for _, c.rows = range p.counts {
			var more bool
			if c.place, more = <-free; !more {
				return
			}
			if c.err = ctx.Err(); c.err == nil {
				c.err = m.fill(p, c, fill)
			}
			filled <- c
			if c.err != nil {
				return
			}
			c.from += c.rows
		}
	}()
	defer func() { // the goroutine must end before its memory is used otherwise
		close(free)
		for range filled {
		}
	}()
	for c := range filled {
		if c.err != nil {
			return c.err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.runChunk(p, c, nil); err != nil {
			return err
		}
		free <- c.place
	}
	return nil
}

// fill fetches the rows of a chunk, but not of inputs that are there already.
func (m *machine) fill(p *plan, c chunk, fill feed) error {
	for _, s := range p.body {
		if s.all {
			continue
		}
		from, to := c.from*s.views, (c.from+c.rows)*s.views
		if err := fill(s.input, m.floats(s.at[c.place], c.rows*s.row), from, to); err != nil {
			return fmt.Errorf("views %d to %d: %w", from, to, err)
		}
	}
	return nil
}

// runChunk reads inputs where they are given, else where they were filled in.
func (m *machine) runChunk(p *plan, c chunk, given []unsafe.Pointer) error {
	var slots []unsafe.Pointer
	for _, s := range slices.Concat(p.body, p.joints) {
		at := unsafe.Add(m.space, s.at[c.place])
		switch {
		case s.all:
			at = unsafe.Add(m.space, s.at[0]+4*c.from*s.row)
		case given != nil:
			at = unsafe.Add(given[s.input], 4*c.from*s.row)
		}
		slots = append(slots, at)
	}
	return p.parts[c.rows].run(m.device, slots, unsafe.Add(m.space, p.arena))
}

// floats are n numbers of the plan's memory.
func (m *machine) floats(at, n int) []float32 { return floats(unsafe.Add(m.space, at), n) }
