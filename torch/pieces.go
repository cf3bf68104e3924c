package torch

import (
	"context"
	"unsafe"

	"github.com/pptsn/pptsn/tensor"
)

// A call is one run on pixels. Its tensors live from one turn on the session's
// thread to the next.
type call struct {
	engine *Engine
	pixels Pixels
	split  *split
	parts  [][]Tensor // outputs of the body, for each piece

	host  []Tensor // the results on the host
	data  []unsafe.Pointer
	dense []*tensor.Dense
	ready event // the results are there
}

// A piece is rows whose pixels lie in a lane.
type piece struct {
	lane *lane
	rows int
	err  error
}

// pieces runs the body on all rows, while another goroutine has the next
// pixels cut.
func (c *call) pieces(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	filled := make(chan piece)
	go c.fill(ctx, filled)
	defer func() { // the goroutine must end before its lane is used otherwise
		cancel()
		for p := range filled {
			c.engine.give(p.lane)
		}
	}()
	for p := range filled {
		err := p.err
		if err == nil {
			err = c.engine.session.Do(ctx, func(s *Scope) error { return c.compute(s, p) })
		}
		c.engine.give(p.lane)
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// fill has the pixels of each piece written to a lane.
func (c *call) fill(ctx context.Context, filled chan<- piece) {
	defer close(filled)
	most := c.split.most(c.engine.views)
	for from := 0; from < c.split.rows; from += most {
		p := piece{rows: min(most, c.split.rows-from)}
		n := c.split.bytes(p.rows)
		if p.lane, p.err = c.engine.lanes.take(ctx, c.engine.session, n); p.err == nil {
			first := from * c.split.views
			p.err = c.pixels.Fill(p.lane.pixels(n), first, first+p.rows*c.split.views)
		}
		select {
		case filled <- p:
		case <-ctx.Done():
			c.engine.give(p.lane)
			return
		}
		if p.err != nil {
			return
		}
	}
}

func (e *Engine) give(ln *lane) {
	if ln != nil {
		e.lanes <- ln
	}
}

// compute gives one piece to the device.
func (c *call) compute(s *Scope, p piece) error {
	e := c.engine
	pixels := p.lane.upload(s, e.uploads, c.split.bytes(p.rows))
	out := e.compute(s, pieceShape{c.split, p.rows, c.pixels.Normalize}, pixels)
	p.lane.used(s)
	if s.err != nil {
		return s.err
	}
	s.Keep(out...)
	c.parts = append(c.parts, out)
	return nil
}

// join runs the tail on the outputs of all pieces and has the results copied
// to the host.
func (c *call) join(ctx context.Context) error {
	return c.engine.session.Do(ctx, func(s *Scope) error {
		out := c.parts[0]
		if sp := c.split; sp.tail != nil {
			in := make([]Tensor, len(sp.outputs))
			for i, from := range sp.outputs {
				rows := make([]Tensor, len(c.parts))
				for k, part := range c.parts {
					rows[k] = part[from]
				}
				in[i] = s.Call("aten::reshape", s.Call("aten::cat", rows, 0), []int(sp.pieces[i]))
			}
			out = c.engine.forgiving(s, func(s *Scope) []Tensor { return c.engine.forward(s, sp.tail, in...) })
		}
		c.ready = s.newEvent()
		for _, t := range out {
			host, data := s.hostEmpty(Float32, s.Shape(t)...)
			s.copy(stream{}, host, s.To(t, Float32))
			s.Keep(host)
			c.host, c.data = append(c.host, host), append(c.data, data)
			c.dense = append(c.dense, tensor.New(tensor.Float32, s.Shape(t)...))
		}
		s.record(c.ready, stream{})
		return s.err
	})
}

// results waits for them. The thread is free for others meanwhile.
func (c *call) results(ctx context.Context) ([]*tensor.Dense, error) {
	if err := c.engine.session.until(ctx, c.ready); err != nil {
		return nil, err
	}
	for i, d := range c.dense {
		copy(d.Data, unsafe.Slice((*byte)(c.data[i]), len(d.Data)))
	}
	return c.dense, nil
}

// free returns the call's tensors. What the device still does with them comes
// before what it does with their memory next.
func (c *call) free() {
	for _, part := range c.parts {
		c.engine.session.Free(part...)
	}
	c.engine.session.Free(c.host...)
	c.engine.session.dropEvent(c.ready)
}
