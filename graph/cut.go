package graph

import "slices"

// Cut divides a graph at one of its Cuts: before computes that value from g's
// inputs, and after, which has it as an input under the same name, g's outputs.
func (g *Graph) Cut(v *Value) (before, after *Graph) {
	n := slices.IndexFunc(g.Nodes, func(n *Node) bool { return n.Out == v }) + 1
	before = g.part(g.Inputs, g.Nodes[:n], []*Value{v})
	after = g.part([]*Value{v}, g.Nodes[n:], g.Outputs)
	return before, after
}

// part is a graph of some nodes of g, in which given values are inputs.
func (g *Graph) part(inputs []*Value, nodes []*Node, outputs []*Value) *Graph {
	p, values, used := New(g.Name), map[*Value]*Value{}, map[*Value]bool{}
	for _, v := range inputs {
		values[v] = p.Input(v.Name, v.Shape...)
	}
	for _, n := range nodes {
		for _, v := range n.In {
			used[v] = true
		}
	}
	copyParams(g, p, used, values)
	for _, n := range nodes {
		values[n.Out] = p.Must(n.Out.Name, n.Op, mapped(n.In, values)...)
	}
	p.Output(mapped(outputs, values)...)
	return p
}

// Cuts are the values at which Cut can divide the graph, in order: nothing else
// that is computed or given before is needed after.
func (g *Graph) Cuts() []*Value {
	last := map[*Value]int{}
	for i, n := range g.Nodes {
		for _, v := range n.In {
			last[v] = i
		}
	}
	for _, v := range g.Outputs {
		last[v] = len(g.Nodes)
	}
	open := 0 // the last node that needs something else of what is before
	for _, v := range g.Inputs {
		open = max(open, last[v])
	}
	var cuts []*Value
	for i, n := range g.Nodes {
		if open <= i && last[n.Out] > i && last[n.Out] < len(g.Nodes) {
			cuts = append(cuts, n.Out)
		}
		open = max(open, last[n.Out])
	}
	return cuts
}
