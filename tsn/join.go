package tsn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// A Part is a network among several that are joined.
type Part struct {
	Name    string // letters, digits and _
	Network *Network
}

// Param is the name in the joined network of a parameter of the part.
func (p Part) Param(name string) string { return p.Name + "." + name }

// Join makes one network of several that see the same clips, so that they train
// as one. Its outputs are the scores of first and of each of the others, all
// [N, K]. The names of first stay; those of the others, Paddle's too, have their
// part's name and a dot before them. Spec is that of first. It is an error if the
// inputs or the numbers of classes differ, or a part's name is taken.
func Join(first *Network, others []Part) (*Network, error) {
	if len(others) == 0 {
		return first, nil
	}
	x := first.Graph.Inputs[0]
	j := &Network{Spec: first.Spec, Graph: graph.New(first.Graph.Name), Params: slices.Clone(first.Params)}
	in := j.Graph.Input(x.Name, x.Shape...)
	j.add(first.Graph, in, func(name string) string { return name })
	for _, p := range others {
		if err := p.joins(j); err != nil {
			return nil, err
		}
		for _, q := range p.Network.Params {
			q.Name, q.Paddle = p.Param(q.Name), p.Param(q.Paddle)
			j.Params = append(j.Params, q)
		}
		j.add(p.Network.Graph, in, p.Param)
		j.Graph.Name += "+" + p.Network.Graph.Name
	}
	return j, nil
}

// joins reports what keeps a part from being joined.
func (p Part) joins(j *Network) error {
	taken := func(name string) bool { return strings.HasPrefix(name, p.Name+".") }
	for _, n := range j.Graph.Nodes {
		if taken(n.Out.Name) {
			return fmt.Errorf("tsn: join: there is a %s already: give the network another name than %q", n.Out.Name, p.Name)
		}
	}
	want, got := j.Graph.Inputs[0].Shape, p.Network.Graph.Inputs[0].Shape
	if !slices.Equal(want, got) {
		return fmt.Errorf("tsn: join: the input of %s is %s, that of the first network %s", p.Name, tensor.ShapeString(got), tensor.ShapeString(want))
	}
	if want, got := j.Graph.Outputs[0].Shape, p.Network.Graph.Outputs[0].Shape; !slices.Equal(want, got) {
		return fmt.Errorf("tsn: join: the scores of %s are %s, those of the first network %s", p.Name, tensor.ShapeString(got), tensor.ShapeString(want))
	}
	return nil
}

// add copies a graph, renamed, to compute from the input in.
func (n *Network) add(g *graph.Graph, in *graph.Value, name func(string) string) {
	values := map[*graph.Value]*graph.Value{g.Inputs[0]: in}
	for _, p := range g.Params {
		values[p] = n.Graph.Param(name(p.Name), p.Shape...)
	}
	for _, node := range g.Nodes {
		operands := make([]*graph.Value, len(node.In))
		for i, v := range node.In {
			operands[i] = values[v]
		}
		values[node.Out] = n.Graph.Must(name(node.Out.Name), node.Op, operands...)
	}
	n.Graph.Output(values[g.Outputs[0]])
}
