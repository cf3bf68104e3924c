package torch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// EngineOptions tunes an engine. The zero value is the CPU with libtorch's own
// choice of threads.
type EngineOptions struct {
	Session SessionOptions
	Network NetworkOptions
}

// An Engine is a network for inference. Many goroutines may call it; they take
// turns.
type Engine struct {
	session *Session
	net     *Network

	mu     sync.Mutex
	closed bool
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
	return &Engine{session: session, net: net}, nil
}

// Run computes the outputs for inputs of shapes that the graph allows.
func (e *Engine) Run(ctx context.Context, inputs ...*tensor.Dense) ([]*tensor.Dense, error) {
	if err := e.check(inputs); err != nil {
		return nil, err
	}
	out := make([]*tensor.Dense, len(e.net.graph.Outputs))
	err := e.session.Do(ctx, func(s *Scope) error {
		in := make([]Tensor, len(inputs))
		for i, d := range inputs {
			in[i] = s.To(s.From(d), e.net.dtype)
		}
		for i, t := range e.net.Forward(s, Pass{}, in...) {
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

// Close waits for a run in progress and frees what the engine holds. It may be
// called twice, and while others call Run, which then returns ErrClosed.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	err := e.session.Close()
	return errors.Join(err, e.net.Close())
}
