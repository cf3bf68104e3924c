package torch

import (
	"fmt"

	"github.com/pptsn/pptsn/clip"
)

// replaysKept bounds how many shapes of pieces have a graph recorded: each
// keeps the memory of its intermediate results.
const replaysKept = 8

// A pieceShape is what a recorded graph is good for.
type pieceShape struct {
	split     *split
	rows      int
	normalize clip.Normalize
}

// A replay is the body recorded for pieces of one shape.
type replay struct {
	graph  *Graph
	pixels Tensor   // what it reads
	held   []Tensor // what it reads besides
	out    []Tensor
	last   int // when it was used
}

// replays are the graphs of an engine. They are used on the session's thread.
type replays struct {
	off   bool
	seen  map[pieceShape]bool
	kept  map[pieceShape]*replay
	clock int
}

// compute runs the body on a piece's pixels. A shape that comes a second time
// is recorded: the first time has warmed up the libraries, and a shape that
// comes once is not worth it.
func (e *Engine) compute(s *Scope, shape pieceShape, pixels Tensor) []Tensor {
	r := &e.replays
	if r.off {
		return e.body(s, shape, pixels)
	}
	if !r.seen[shape] {
		if len(r.seen) >= 16*replaysKept {
			clear(r.seen)
		}
		r.seen[shape] = true
		return e.body(s, shape, pixels)
	}
	rec := r.kept[shape]
	if rec == nil {
		var err error
		if rec, err = e.capture(s, shape); err != nil {
			r.off = true
			e.note(fmt.Sprintf("without CUDA graphs, since recording one failed: %v", err))
			return e.body(s, shape, pixels)
		}
		r.evict(s)
		r.kept[shape] = rec
	}
	r.clock++
	rec.last = r.clock
	s.copy(stream{}, rec.pixels, pixels)
	s.Replay(rec.graph)
	out := make([]Tensor, len(rec.out))
	for i, t := range rec.out {
		out[i] = s.Call("aten::clone", t, nil) // the next replay writes over it
	}
	return out
}

// capture records the body for a shape.
func (e *Engine) capture(s *Scope, shape pieceShape) (*replay, error) {
	rec := &replay{}
	kept, err := s.try(func(s *Scope) []Tensor {
		rec.pixels = s.empty(Uint8, shape.split.bytes(shape.rows))
		n := s.normalizer(shape.normalize, shape.split.w)
		s.Synchronize()
		rec.graph = s.Capture(func() { rec.out = e.network(s, shape, n, rec.pixels) })
		rec.held = n.tensors()
		return append(append([]Tensor{rec.pixels}, rec.held...), rec.out...)
	})
	if err != nil {
		if rec.graph != nil {
			rec.graph.Close()
		}
		return nil, err
	}
	s.Keep(kept...)
	return rec, nil
}

// evict makes room for one more.
func (r *replays) evict(s *Scope) {
	for len(r.kept) >= replaysKept {
		var oldest pieceShape
		for shape, rec := range r.kept {
			if o := r.kept[oldest]; o == nil || rec.last < o.last {
				oldest = shape
			}
		}
		s.Synchronize()
		r.kept[oldest].free(s.session)
		delete(r.kept, oldest)
	}
}

func (r *replay) free(s *Session) {
	for _, t := range append(append([]Tensor{r.pixels}, r.held...), r.out...) {
		s.release(t.h)
	}
	r.graph.Close()
}

// body computes a piece operation by operation.
func (e *Engine) body(s *Scope, shape pieceShape, pixels Tensor) []Tensor {
	return e.forgiving(s, func(s *Scope) []Tensor {
		return e.network(s, shape, s.normalizer(shape.normalize, shape.split.w), pixels)
	})
}

// forward runs a part of the network.
func (e *Engine) forward(s *Scope, n *Network, in ...Tensor) (out []Tensor) {
	s.tuned(func() { out = n.Forward(s, e.pass, in...) })
	return out
}

// forgiving runs f and, if it fails with operators of Pass.Direct, again and
// from then on without: not every build of libtorch has them for every type.
func (e *Engine) forgiving(s *Scope, f func(*Scope) []Tensor) []Tensor {
	out, err := s.try(f)
	if err != nil && e.pass.Direct {
		reason := err
		e.pass.Direct = false
		if out, err = s.try(f); err == nil {
			e.note(fmt.Sprintf("convolutions by libtorch's general operator, since oneDNN's or cuDNN's own failed: %v", reason))
		} else {
			e.pass.Direct = true // it was not to blame
		}
	}
	s.Fail(err)
	return out
}

// network computes the body: from pixels to the outputs, on the device alone.
func (e *Engine) network(s *Scope, shape pieceShape, n normalizer, pixels Tensor) []Tensor {
	sp := shape.split
	x := s.normalize(n, pixels, shape.rows*sp.views, sp.h, sp.w)
	in := s.Call("aten::reshape", x, sp.input(shape.rows))
	return e.forward(s, sp.body, in)
}
