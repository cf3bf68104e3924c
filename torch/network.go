package torch

import (
	"context"
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// NetworkOptions tunes a network. The zero value computes in float32.
type NetworkOptions struct {
	// DType of parameters and arithmetic: Float32 (also the zero value),
	// Float64 for checks, BFloat16 or Float16 for inference: then convolutions
	// and what is done to their results have it; inputs are Float32, and so
	// are matrices, features and softmax, which take little time and make the
	// scores.
	DType DType
	// Contiguous keeps tensors in the order N, C, H, W instead of channels
	// last, which is faster in convolutions.
	Contiguous bool
}

// A Network is a graph whose parameters live on a session's device.
type Network struct {
	session *Session
	graph   *graph.Graph
	dtype   DType
	params  map[string]Tensor
	plans   map[string]*plan // by the inputs' shapes
}

// plansKept bounds how many shapes of inputs a network remembers.
const plansKept = 16

// NewNetwork copies weights to the session's device. Neither g nor w is
// changed; the caller closes the network.
func NewNetwork(ctx context.Context, s *Session, g *graph.Graph, w graph.Weights, o NetworkOptions) (*Network, error) {
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("torch: %w", err)
	}
	if err := g.CheckWeights(w); err != nil {
		return nil, fmt.Errorf("torch: %w", err)
	}
	n := &Network{session: s, graph: g, dtype: o.DType, params: map[string]Tensor{}, plans: map[string]*plan{}}
	if n.dtype == 0 {
		n.dtype = Float32
	}
	readers := g.Users()
	err := s.Do(ctx, func(s *Scope) error {
		for _, p := range g.Params {
			t := s.From(w[p.Name])
			if d := n.dtype; !d.half() || ofConv(readers[p]) {
				t = s.To(t, d)
			}
			if len(p.Shape) == 4 && !o.Contiguous {
				t = s.Call("aten::contiguous", t, channelsLast)
			}
			n.params[p.Name] = t
		}
		if s.err == nil {
			for _, t := range n.params {
				s.Keep(t)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// ofConv says that convolutions alone read a parameter.
func ofConv(readers []*graph.Node) bool {
	return !slices.ContainsFunc(readers, func(n *graph.Node) bool { _, ok := n.Op.(graph.Conv); return !ok })
}

// Session is where the network lives.
func (n *Network) Session() *Session { return n.session }

// Graph is the network's description.
func (n *Network) Graph() *graph.Graph { return n.graph }

// Param is a parameter's tensor, zero for a name that is none. It may be
// changed in place.
func (n *Network) Param(name string) Tensor { return n.params[name] }

// Weights copies all parameters to the host, as Float32.
func (n *Network) Weights(ctx context.Context) (graph.Weights, error) {
	w := graph.Weights{}
	err := n.session.Do(ctx, func(s *Scope) error {
		for _, p := range n.graph.Params {
			w[p.Name] = s.Dense(n.params[p.Name], tensor.Float32)
		}
		return nil
	})
	return w, err
}

// SetWeights changes all parameters to those given.
func (n *Network) SetWeights(ctx context.Context, w graph.Weights) error {
	if err := n.graph.CheckWeights(w); err != nil {
		return fmt.Errorf("torch: %w", err)
	}
	return n.session.Do(ctx, func(s *Scope) error {
		for _, p := range n.graph.Params {
			s.Run("aten::copy_", n.params[p.Name], s.From(w[p.Name]), false)
		}
		return nil
	})
}

// Close frees the parameters. It may be called twice.
func (n *Network) Close() error {
	for _, t := range n.params {
		n.session.Free(t)
	}
	n.params = nil
	return nil
}
