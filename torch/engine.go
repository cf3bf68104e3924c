package torch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// EngineOptions tunes an engine. The zero value is the CPU with libtorch's own
// choice of threads, in float32.
type EngineOptions struct {
	Session SessionOptions
	Network NetworkOptions
	// Views is how many views RunPixels computes at a time; 0: 64 on a CUDA
	// device, 8 on the CPU.
	Views int
	// NoGraphs starts each operation of a piece on a CUDA device by itself.
	NoGraphs bool
}

// Views that are computed at a time: on a GPU enough to keep it busy, on a CPU
// so few that intermediate results stay near the caches.
const (
	viewsOnCUDA = 64
	viewsOnCPU  = 8
)

// Lanes are one for the piece that is computed, one for the next; on a CUDA
// device, where a call returns before it is done, one more.
const (
	lanesOnCUDA = 3
	lanesOnCPU  = 2
)

// An Engine is a network for inference. Many goroutines may call it; they take
// turns, piece by piece.
type Engine struct {
	session *Session
	net     *Network
	views   int
	lanes   lanes

	// For the session's thread alone.
	pass    Pass
	splits  map[string]*split
	replays replays
	uploads stream

	mu     sync.RWMutex // read-locked by runs
	closed bool

	notesMu sync.Mutex
	notes   []string
}

// Compile optimises a graph for inference and readies an engine for it. The
// caller closes the engine. Neither g nor w is changed.
func Compile(ctx context.Context, g *graph.Graph, w graph.Weights, o EngineOptions) (*Engine, error) {
	g, w, err := graph.Optimize(g, w)
	if err != nil {
		return nil, fmt.Errorf("torch: %w", err)
	}
	session, err := NewSession(o.Session)
	if err != nil {
		return nil, err
	}
	net, err := NewNetwork(ctx, session, g, w, o.Network)
	if err != nil {
		session.Close()
		return nil, err
	}
	e := &Engine{session: session, net: net, splits: map[string]*split{}}
	e.replays = replays{off: true, seen: map[pieceShape]bool{}, kept: map[pieceShape]*replay{}}
	e.pass.Direct = net.dtype != Float64
	n := lanesOnCPU
	e.views = viewsOnCPU
	if o.Session.Device.CUDA {
		n, e.views = lanesOnCUDA, viewsOnCUDA
		e.replays.off = o.NoGraphs
		err = session.Do(ctx, func(s *Scope) error { e.uploads = s.newStream(); return nil })
	}
	if o.Views > 0 {
		e.views = o.Views
	}
	e.lanes = newLanes(n)
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Run computes the outputs for inputs of shapes that the graph allows, all at
// once.
func (e *Engine) Run(ctx context.Context, inputs ...*tensor.Dense) ([]*tensor.Dense, error) {
	if err := e.check(inputs); err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	out := make([]*tensor.Dense, len(e.net.graph.Outputs))
	err := e.session.Do(ctx, func(s *Scope) error {
		in := make([]Tensor, len(inputs))
		for i, d := range inputs {
			if in[i] = s.From(d); !e.net.dtype.half() { // else convolutions round what they read
				in[i] = s.To(in[i], e.net.dtype)
			}
		}
		all := func(s *Scope) []Tensor { return e.forward(s, e.net, in...) }
		for i, t := range e.forgiving(s, all) {
			out[i] = s.Dense(t, tensor.Float32)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("torch: %s: %w", e.net.graph.Name, err)
	}
	return out, nil
}

// check reports inputs that libtorch would not, or not clearly.
func (e *Engine) check(inputs []*tensor.Dense) error {
	i := slices.IndexFunc(inputs, func(d *tensor.Dense) bool { return d.Type != tensor.Float32 })
	if i >= 0 {
		return fmt.Errorf("torch: %s: input %d is %s, want float32", e.net.graph.Name, i, inputs[i].Type)
	}
	return nil
}

// Pixels are 8-bit views that become the one input of a network.
type Pixels struct {
	Shape     []int // of that input: [N, 3, H, W] or [N, T, 3, H, W]
	Normalize clip.Normalize
	// Fill writes views from (inclusive) to to (exclusive), counted over all
	// leading axes, as bytes [to-from, H, W, 3]. It is called for one piece
	// after the other, while those before are computed.
	Fill func(dst []byte, from, to int) error
}

// RunPixels is Run for 8-bit views, which are normalised on the device: the
// network is computed for some views at a time, then what joins them for all.
// So the memory it takes does not follow the number of views, and copies to the
// device go beside its work.
func (e *Engine) RunPixels(ctx context.Context, p Pixels) ([]*tensor.Dense, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	out, err := e.runPixels(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("torch: %s: %w", e.net.graph.Name, err)
	}
	return out, nil
}

func (e *Engine) runPixels(ctx context.Context, p Pixels) ([]*tensor.Dense, error) {
	if len(e.net.graph.Inputs) != 1 || len(p.Shape) < 4 || p.Shape[len(p.Shape)-3] != 3 {
		return nil, fmt.Errorf("%d inputs, of shape %v: want one of views [.., 3, H, W]", len(e.net.graph.Inputs), p.Shape)
	}
	c := &call{engine: e, pixels: p}
	defer c.free()
	err := e.session.Do(ctx, func(*Scope) (err error) { c.split, err = e.split(p.Shape); return err })
	if err == nil {
		err = c.pieces(ctx)
	}
	if err == nil {
		err = c.join(ctx)
	}
	if err != nil {
		return nil, err
	}
	return c.results(ctx)
}

// Notes say what the engine does otherwise than it was asked to, and why.
func (e *Engine) Notes() []string {
	e.notesMu.Lock()
	defer e.notesMu.Unlock()
	return slices.Clone(e.notes)
}

func (e *Engine) note(text string) {
	e.notesMu.Lock()
	defer e.notesMu.Unlock()
	e.notes = append(e.notes, text)
}

// Close waits for runs in progress and frees what the engine holds. It may be
// called twice, and while others call Run, which then returns ErrClosed.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	free := e.session.Do(context.Background(), func(s *Scope) error {
		for range cap(e.lanes) {
			(<-e.lanes).free(s)
		}
		for _, r := range e.replays.kept {
			r.free(s.session)
		}
		s.session.dropStream(e.uploads)
		return nil
	})
	return errors.Join(free, e.net.Close(), e.session.Close())
}
