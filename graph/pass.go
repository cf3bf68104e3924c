package graph

import (
	"fmt"
	"maps"
	"slices"
)

// A pass rewrites a graph and its weights in place, so that the results stay
// the same up to rounding.
type pass struct {
	name string
	run  func(*rewrite) error
}

// passes are what Optimize does, in order.
var passes = []pass{
	{"drop dropout", dropDropout},
	{"drop identity", dropIdentity},     // affine 1x+0, as Paddle puts before its outputs
	{"fold parameters", foldParameters}, // arithmetic on parameters alone, as in a reshaped bias
	{"fold batch norm", foldBatchNorm},  // into the convolution before it
	{"fuse bias", fuseBias},             // addition of a parameter to a convolution or linear layer
	{"fuse residual sum", fuseSum},      // addition of another value to a convolution
	{"fuse activation", fuseActivation}, // into the convolution or sum before it
}

// Optimize returns an equivalent graph for inference with fewer, larger nodes,
// and its weights. Neither g nor w is changed; weights that no pass touched are
// shared. What remains of a convolution has bias, residual and activation
// inside; an engine that cannot fuse them may compute them one after another.
func Optimize(g *Graph, w Weights) (*Graph, Weights, error) {
	return optimize(g, w, nil)
}

// optimize calls after, if not nil, behind each pass.
func optimize(g *Graph, w Weights, after func(pass string, g *Graph, w Weights) error) (*Graph, Weights, error) {
	if err := g.CheckWeights(w); err != nil {
		return nil, nil, err
	}
	r := &rewrite{g: g.Clone(), w: maps.Clone(w)}
	for _, p := range passes {
		if err := p.run(r); err != nil {
			return nil, nil, fmt.Errorf("graph: pass %q: %w", p.name, err)
		}
		r.dropUnused()
		if after == nil {
			continue
		}
		if err := after(p.name, r.g, r.w); err != nil {
			return nil, nil, fmt.Errorf("graph: after pass %q: %w", p.name, err)
		}
	}
	return r.g, r.w, nil
}

// A rewrite is a graph being changed by passes.
type rewrite struct {
	g *Graph
	w Weights
}

// each calls f for every node that was there when it began and still is.
func (r *rewrite) each(f func(*Node) error) error {
	for _, n := range slices.Clone(r.g.Nodes) {
		if !slices.Contains(r.g.Nodes, n) {
			continue
		}
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}

// producer is the node that computes v, nil for inputs and parameters.
func (r *rewrite) producer(v *Value) *Node {
	i := slices.IndexFunc(r.g.Nodes, func(n *Node) bool { return n.Out == v })
	if i < 0 {
		return nil
	}
	return r.g.Nodes[i]
}

// onlyReader is the one node that reads v, nil if several do or if v is also
// an output.
func (r *rewrite) onlyReader(v *Value) *Node {
	var reader *Node
	for _, n := range r.g.Nodes {
		for _, in := range n.In {
			if in != v {
				continue
			}
			if reader != nil {
				return nil
			}
			reader = n
		}
	}
	if slices.Contains(r.g.Outputs, v) {
		return nil
	}
	return reader
}

// drop removes node n, whose readers read v instead.
func (r *rewrite) drop(n *Node, v *Value) {
	r.remove(n)
	for _, m := range r.g.Nodes {
		for i := range m.In {
			if m.In[i] == n.Out {
				m.In[i] = v
			}
		}
	}
	for i := range r.g.Outputs {
		if r.g.Outputs[i] == n.Out {
			r.g.Outputs[i] = v
		}
	}
	delete(r.g.names, n.Out.Name)
}

// absorb lets node n compute what its only reader computed, in the reader's
// place and under its name, so that all other operands are ready.
func (r *rewrite) absorb(n, reader *Node) {
	r.remove(n)
	i := slices.Index(r.g.Nodes, reader)
	delete(r.g.names, n.Out.Name)
	n.Out = reader.Out
	r.g.Nodes[i] = n
}

func (r *rewrite) remove(n *Node) {
	i := slices.Index(r.g.Nodes, n)
	r.g.Nodes = slices.Delete(r.g.Nodes, i, i+1)
}

// dropUnused forgets the parameters that a pass folded into others.
func (r *rewrite) dropUnused() {
	users := r.g.Users()
	r.g.Params = slices.DeleteFunc(r.g.Params, func(p *Value) bool {
		unused := len(users[p]) == 0
		if unused {
			delete(r.g.names, p.Name)
			delete(r.w, p.Name)
		}
		return unused
	})
}
