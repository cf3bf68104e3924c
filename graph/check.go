package graph

import (
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// Check reports the first way in which a graph contradicts itself: a name used
// twice, an operand that is not computed before it is read, a shape that does
// not follow from the operands, a parameter that nobody reads, an output that
// does not exist. Rewriting passes must leave a graph that passes.
func (g *Graph) Check() error {
	known, names := map[*Value]bool{}, map[string]bool{}
	add := func(v *Value) error {
		if names[v.Name] {
			return fmt.Errorf("graph %s: two values are called %q", g.Name, v.Name)
		}
		known[v], names[v.Name] = true, true
		return nil
	}
	for _, v := range slices.Concat(g.Inputs, g.Params) {
		if err := add(v); err != nil {
			return err
		}
	}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			if !known[v] {
				return fmt.Errorf("graph %s: %s reads %s before it is computed", g.Name, n.Out.Name, v.Name)
			}
		}
		shape, err := inferShape(n.Op, n.In)
		if err != nil {
			return fmt.Errorf("graph %s: %s: %w", g.Name, n.Out.Name, err)
		}
		if !slices.Equal(shape, n.Out.Shape) {
			return fmt.Errorf("graph %s: %s, but its operands give %s", g.Name, n.Out, tensor.ShapeString(shape))
		}
		if err := add(n.Out); err != nil {
			return err
		}
	}
	return g.checkUse(known)
}

func (g *Graph) checkUse(known map[*Value]bool) error {
	users := g.Users()
	for _, p := range g.Params {
		if len(users[p]) == 0 {
			return fmt.Errorf("graph %s: nothing reads parameter %s", g.Name, p.Name)
		}
	}
	for _, v := range g.Outputs {
		if !known[v] {
			return fmt.Errorf("graph %s: output %s is not computed", g.Name, v.Name)
		}
	}
	return nil
}
