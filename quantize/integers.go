package quantize

import (
	"context"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
)

// integers readies the body as scales ask.
func (n *network) integers(s graph.Scales, threads int) (*runner, error) {
	q, err := graph.Quantize(n.body, n.w, within(n.body, s), graph.QuantizeOptions{})
	if err != nil {
		return nil, err
	}
	return open(q, n.w, threads)
}

// openIntegers readies a whole model as scales ask.
func openIntegers(ctx context.Context, b *bundle.Bundle, s graph.Scales, threads int) (*engine.Engine, error) {
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
