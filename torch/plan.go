package torch

import (
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// A plan is a graph bound to the shapes of its inputs, with what the executor
// needs to know of each value.
type plan struct {
	graph *graph.Graph
	last  map[*graph.Value]*graph.Node // who reads a value last; absent for outputs
	over  map[*graph.Node]int          // operand that a node may write its result over; absent: none
}

// plan returns how inputs of these shapes are computed.
func (n *Network) plan(shapes [][]int) (*plan, error) {
	key := fmt.Sprint(shapes)
	if p, ok := n.plans[key]; ok {
		return p, nil
	}
	bound, err := n.graph.Bind(shapes...)
	if err != nil {
		return nil, err
	}
	if len(n.plans) >= plansKept {
		clear(n.plans)
	}
	p := newPlan(bound)
	n.plans[key] = p
	return p, nil
}

func newPlan(g *graph.Graph) *plan {
	p := &plan{graph: g, last: map[*graph.Value]*graph.Node{}, over: map[*graph.Node]int{}}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			p.last[v] = n
		}
	}
	for _, v := range g.Outputs {
		delete(p.last, v)
	}
	p.inPlace()
	return p
}

// inPlace finds the activations and sums that may write over an operand: one
// that nobody else reads, and that its producer's gradient does not need. So a
// training step keeps one array less for each of them.
func (p *plan) inPlace() {
	users, producers := p.graph.Users(), map[*graph.Value]*graph.Node{}
	for _, n := range p.graph.Nodes {
		producers[n.Out] = n
		if !writesOver(n) {
			continue
		}
		for i, v := range n.In {
			from := producers[v]
			if from != nil && forgets(from) && len(users[v]) == 1 && p.last[v] == n && slices.Equal(v.Shape, n.Out.Shape) && slices.Index(n.In, v) == i {
				p.over[n] = i
				break
			}
		}
	}
}

func writesOver(n *graph.Node) bool {
	switch op := n.Op.(type) {
	case graph.Activate:
		return op.Act.Func == graph.ReLU
	case graph.Binary:
		return op.Op == graph.Add
	}
	return false
}

// forgets says that the gradient of a node does not need its result.
func forgets(n *graph.Node) bool {
	switch op := n.Op.(type) {
	case graph.BatchNorm:
		return true
	case graph.Conv:
		return op.Act.Func == graph.Identity
	case graph.Binary:
		return op.Op == graph.Add && op.Act.Func == graph.Identity
	}
	return false
}
