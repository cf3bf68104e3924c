package pptsn

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// errOtherViews reports a network whose number of views cannot be changed.
var errOtherViews = errors.New("the network does not simply average over its views, so their number cannot be changed: export it for that number")

// withViews returns a network for clips of another number of views, each h x w
// pixels. The number stands in the input's shape and where the rows of all views,
// [N*T, ...], become those of each clip, [N, T, ...], to be averaged over T. A
// network in which views meet elsewhere is refused.
func withViews(g *graph.Graph, views, h, w int) (*graph.Graph, error) {
	in := g.Inputs[0].Shape
	if len(in) != 5 || in[1] == graph.Unknown || in[1] == views {
		return g, nil
	}
	joint, err := viewsJoint(g, in[1])
	if err != nil {
		return nil, err
	}
	changed, err := replaceViews(g, joint, views)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errOtherViews, err)
	}
	return changed, checkViews(changed, joint.Out.Name, []int{2, views, 3, h, w})
}

// viewsJoint is the reshape whose result is averaged over the views.
func viewsJoint(g *graph.Graph, views int) (*graph.Node, error) {
	users := g.Users()
	var found []*graph.Node
	for _, n := range g.Nodes {
		r, ok := n.Op.(graph.Reshape)
		if !ok || len(r.Shape) < 3 || r.Shape[0] != -1 || r.Shape[1] != views {
			continue
		}
		if !slices.ContainsFunc(users[n.Out], func(u *graph.Node) bool { return !averagesViews(u) }) {
			found = append(found, n)
		}
	}
	if len(found) != 1 {
		return nil, errOtherViews
	}
	return found[0], nil
}

func averagesViews(n *graph.Node) bool {
	m, ok := n.Op.(graph.Mean)
	return ok && slices.Contains(m.Axes, 1) && !slices.Contains(m.Axes, 0)
}

// replaceViews copies the network with another number in its input and at the
// joint.
func replaceViews(g *graph.Graph, joint *graph.Node, views int) (*graph.Graph, error) {
	c, values := graph.New(g.Name), map[*graph.Value]*graph.Value{}
	shape := slices.Clone(g.Inputs[0].Shape)
	shape[1] = views
	values[g.Inputs[0]] = c.Input(g.Inputs[0].Name, shape...)
	for _, p := range g.Params {
		values[p] = c.Param(p.Name, p.Shape...)
	}
	for _, n := range g.Nodes {
		op := n.Op
		if n == joint {
			shape := slices.Clone(op.(graph.Reshape).Shape)
			shape[1] = views
			op = graph.Reshape{Shape: shape}
		}
		operands := make([]*graph.Value, len(n.In))
		for i, v := range n.In {
			operands[i] = values[v]
		}
		out, err := c.Apply(n.Out.Name, op, operands...)
		if err != nil {
			return nil, err
		}
		values[n.Out] = out
	}
	c.Output(values[g.Outputs[0]])
	return c, nil
}

// checkViews looks at the network bound to two clips: each must get one row of
// scores, and views must be computed apart from each other up to the joint.
func checkViews(g *graph.Graph, joint string, input []int) error {
	bound, err := g.Bind(input)
	if err != nil {
		return fmt.Errorf("%w (%w)", errOtherViews, err)
	}
	_, tail := graph.SplitRows(bound)
	if bound.Outputs[0].Shape[0] != input[0] || len(tail.Inputs) != 1 || tail.Inputs[0].Name != joint {
		return errOtherViews
	}
	return nil
}
