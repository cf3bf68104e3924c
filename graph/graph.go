// Package graph describes a network as data: values, and the operations that
// compute one from others.
//
// A graph is written once and used everywhere: engines run it, file formats
// store it, passes rewrite it, and a plain evaluator in this package says what
// it means. Weights live beside the graph, by parameter name, so one graph can
// be run with several of them.
//
// Images are [N, C, H, W]; a dimension of -1 (Unknown) is not fixed until the
// graph is bound to real inputs.
package graph

import (
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// Unknown is a dimension that is fixed only when the graph is bound.
const Unknown = -1

// A Value is one tensor of a graph: an input, a parameter, or a node's result.
type Value struct {
	Name  string // unique in its graph
	Shape []int  // may hold Unknown, but not for parameters
	Param bool   // its contents come from Weights
}

// String is "name [N, C, H, W]".
func (v *Value) String() string { return v.Name + " " + tensor.ShapeString(v.Shape) }

// A Node computes one value.
type Node struct {
	Op  Op
	In  []*Value // in the order that the operation documents
	Out *Value
}

// A Graph is a network. Nodes are in an order in which they can be computed.
type Graph struct {
	Name    string
	Inputs  []*Value
	Params  []*Value
	Nodes   []*Node
	Outputs []*Value

	names map[string]bool
}

// Weights are the contents of a graph's parameters, by name, as Float32.
type Weights map[string]*tensor.Dense

// New returns an empty graph.
func New(name string) *Graph { return &Graph{Name: name, names: map[string]bool{}} }

// Input adds an input; shape may hold Unknown.
func (g *Graph) Input(name string, shape ...int) *Value {
	v := g.value(name, shape)
	g.Inputs = append(g.Inputs, v)
	return v
}

// Param adds a parameter of a known shape.
func (g *Graph) Param(name string, shape ...int) *Value {
	v := g.value(name, shape)
	v.Param = true
	g.Params = append(g.Params, v)
	return v
}

// Apply adds a node and returns its result, which is called name. The error
// says which operands do not fit.
func (g *Graph) Apply(name string, op Op, in ...*Value) (*Value, error) {
	shape, err := inferShape(op, in)
	if err != nil {
		return nil, fmt.Errorf("graph: %s %q: %w", op.Kind(), name, err)
	}
	v := g.value(name, shape)
	g.Nodes = append(g.Nodes, &Node{Op: op, In: slices.Clone(in), Out: v})
	return v, nil
}

// Must is Apply for a network that the program itself writes down: it panics
// where Apply fails.
func (g *Graph) Must(name string, op Op, in ...*Value) *Value {
	v, err := g.Apply(name, op, in...)
	if err != nil {
		panic(err)
	}
	return v
}

// Output declares results of the network.
func (g *Graph) Output(v ...*Value) { g.Outputs = append(g.Outputs, v...) }

// Has reports whether a value of that name exists.
func (g *Graph) Has(name string) bool { return g.names[name] }

func (g *Graph) value(name string, shape []int) *Value {
	if g.names[name] {
		panic(fmt.Sprintf("graph %s: two values are called %q", g.Name, name))
	}
	g.names[name] = true
	return &Value{Name: name, Shape: slices.Clone(shape)}
}

// Bind returns a copy of the graph for inputs of the given shapes, one for
// each input, without unknown dimensions. All shapes are inferred anew.
func (g *Graph) Bind(shapes ...[]int) (*Graph, error) {
	if len(shapes) != len(g.Inputs) {
		return nil, fmt.Errorf("graph %s: %d inputs given, wants %d", g.Name, len(shapes), len(g.Inputs))
	}
	bound, values := New(g.Name), map[*Value]*Value{}
	for i, in := range g.Inputs {
		if !fits(in.Shape, shapes[i]) {
			return nil, fmt.Errorf("graph %s: input %s cannot take %s", g.Name, in, tensor.ShapeString(shapes[i]))
		}
		values[in] = bound.Input(in.Name, shapes[i]...)
	}
	return bound, g.copyInto(bound, values)
}

// Clone returns a copy that shares nothing but the weights' names.
func (g *Graph) Clone() *Graph {
	c, values := New(g.Name), map[*Value]*Value{}
	for _, in := range g.Inputs {
		values[in] = c.Input(in.Name, in.Shape...)
	}
	if err := g.copyInto(c, values); err != nil {
		panic(err) // the same shapes were inferred before
	}
	return c
}

// copyInto adds everything but the inputs, which values already maps.
func (g *Graph) copyInto(to *Graph, values map[*Value]*Value) error {
	for _, p := range g.Params {
		values[p] = to.Param(p.Name, p.Shape...)
	}
	for _, n := range g.Nodes {
		in := make([]*Value, len(n.In))
		for i, v := range n.In {
			in[i] = values[v]
		}
		out, err := to.Apply(n.Out.Name, n.Op, in...)
		if err != nil {
			return err
		}
		values[n.Out] = out
	}
	for _, v := range g.Outputs {
		to.Output(values[v])
	}
	return nil
}

// fits reports whether an input of shape want, unknown dimensions included,
// can take an array of shape got.
func fits(want, got []int) bool {
	if len(want) != len(got) {
		return false
	}
	for i, d := range got {
		if d <= 0 || want[i] != Unknown && want[i] != d {
			return false
		}
	}
	return true
}

// Users returns, for each value, the nodes that read it, in order.
func (g *Graph) Users() map[*Value][]*Node {
	users := map[*Value][]*Node{}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			users[v] = append(users[v], n)
		}
	}
	return users
}

// CheckWeights reports every parameter whose weights are absent, of another
// shape or of another type than Float32.
func (g *Graph) CheckWeights(w Weights) error {
	var wrong []string
	for _, p := range g.Params {
		t, ok := w[p.Name]
		switch {
		case !ok:
			wrong = append(wrong, p.Name+": absent, want "+tensor.ShapeString(p.Shape))
		case !slices.Equal(t.Shape, p.Shape):
			wrong = append(wrong, fmt.Sprintf("%s: %s, want %s", p.Name, tensor.ShapeString(t.Shape), tensor.ShapeString(p.Shape)))
		case t.Type != tensor.Float32:
			wrong = append(wrong, p.Name+": "+t.Type.String()+", want float32")
		}
	}
	if wrong == nil {
		return nil
	}
	return &WeightsError{Graph: g.Name, Wrong: wrong}
}

// A WeightsError lists the parameters whose weights do not fit a graph.
type WeightsError struct {
	Graph string
	Wrong []string // one sentence a parameter
}

// Error names up to eight of the parameters.
func (e *WeightsError) Error() string {
	s := fmt.Sprintf("graph %s: weights do not fit in %d places", e.Graph, len(e.Wrong))
	for i, w := range e.Wrong {
		if i == 8 {
			return s + fmt.Sprintf("; and %d more", len(e.Wrong)-8)
		}
		s += "; " + w
	}
	return s
}
