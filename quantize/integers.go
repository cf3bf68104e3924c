package quantize

import (
	"context"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
)

// Where the processor cannot multiply 8-bit integers exactly, all of this is
// computed on the graph that says what int8 means: slower, and the same up to a
// step of 8 bits here and there.

func exact() bool { return onednn.Supports(graph.INT8) == nil }

// integers readies the body as scales ask.
func (n *network) integers(s graph.Scales, threads int) (*runner, error) {
	s = within(n.body, s)
	if exact() {
		return open(n.body, n.w, onednn.Options{Threads: threads, Precision: graph.INT8, Scales: s})
	}
	return n.rounded(s, threads)
}

// rounded readies the body with every rounding computed by itself, and with
// values of those names besides its outputs.
func (n *network) rounded(s graph.Scales, threads int, values ...string) (*runner, error) {
	q, err := graph.Quantize(n.body, n.w, within(n.body, s), graph.QuantizeOptions{})
	if err != nil {
		return nil, err
	}
	return open(q, n.w, onednn.Options{Threads: threads}, values...)
}

// openIntegers readies a whole model as scales ask.
func openIntegers(ctx context.Context, b *bundle.Bundle, s graph.Scales, threads int) (*engine.Engine, error) {
	if exact() {
		return engine.Open(ctx, b.Graph, b.Weights, engine.Options{Kind: engine.OneDNN, Threads: threads, Precision: graph.INT8, Scales: s})
	}
	g, w, err := graph.Optimize(b.Graph, b.Weights)
	if err != nil {
		return nil, err
	}
	if g, err = graph.Quantize(g, w, s, graph.QuantizeOptions{}); err != nil {
		return nil, err
	}
	return engine.Open(ctx, g, w, engine.Options{Kind: engine.OneDNN, Threads: threads})
}

// within are the scales of the values that a part of the network computes.
func within(g *graph.Graph, s graph.Scales) graph.Scales {
	part := graph.Scales{}
	for _, n := range g.Nodes {
		if i, ok := s[n.Out.Name]; ok {
			part[n.Out.Name] = i
		}
	}
	return part
}
