package graphtest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// RunInt8 tests executors that multiply 8-bit integers: every operation and
// small network of the suite, optimised, with all values that convolutions read
// or add and that pools pass on held in 8 bits. Results may differ from the
// evaluator's of graph.Quantize by tol, relative to the largest magnitude: a sum
// that is rounded otherwise is one step of the next layer away.
func RunInt8(t *testing.T, compile func(g *graph.Graph, w graph.Weights, s graph.Scales) (Executor, error), tol float64) {
	for _, group := range groups() {
		t.Run(group.name, func(t *testing.T) {
			for _, tc := range group.cases {
				t.Run(tc.name, func(t *testing.T) {
					g, r := tc.graph(), newRandom(tc.name)
					w, in := r.weights(g), r.tensor(tc.input...)
					if err := checkInt8(t, g, w, in, compile, tol); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

func checkInt8(t *testing.T, g *graph.Graph, w graph.Weights, in *tensor.Dense, compile func(*graph.Graph, graph.Weights, graph.Scales) (Executor, error), tol float64) error {
	g, w, err := graph.Optimize(g, w)
	if err != nil {
		return err
	}
	scales, err := Scales(g, w, in)
	if err != nil {
		return err
	}
	q, err := graph.Quantize(g, w, scales, graph.QuantizeOptions{})
	if err != nil {
		return err
	}
	want, err := graph.Eval(q, w, in)
	if err != nil {
		return err
	}
	e, err := compile(g, w, scales)
	if err != nil {
		return err
	}
	defer e.Close()
	got, err := e.Run(t.Context(), in)
	if err != nil {
		return err
	}
	for i := range want {
		if err := Compare(got[i], want[i], tol); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

// Scales hold every value of an optimised graph in 8 bits that a convolution
// reads or adds or of which a pool takes the largest, and what pools make of them, up to the largest magnitude that
// the input brings about.
func Scales(g *graph.Graph, w graph.Weights, in *tensor.Dense) (graph.Scales, error) {
	all := g.Clone()
	for _, n := range all.Nodes {
		all.Output(n.Out)
	}
	out, err := graph.Eval(all, w, in)
	if err != nil {
		return nil, err
	}
	values := map[string]*tensor.Dense{g.Inputs[0].Name: in}
	for i, n := range all.Nodes {
		values[n.Out.Name] = out[len(g.Outputs)+i]
	}
	s := graph.Scales{}
	hold := func(v *graph.Value) {
		if d := values[v.Name]; d != nil && len(v.Shape) == 4 {
			s[v.Name] = largest(d)
		}
	}
	for _, n := range g.Nodes {
		switch op := n.Op.(type) {
		case graph.Pool:
			if op.Max { // of a mean the last step may be another one
				hold(n.In[0])
			}
		case graph.Conv:
			hold(n.In[0])
			if op.Residual {
				hold(n.In[len(n.In)-1])
			}
		}
	}
	for _, n := range g.Nodes {
		if _, pool := n.Op.(graph.Pool); pool && s[n.In[0].Name].Scale > 0 {
			s[n.Out.Name] = s[n.In[0].Name]
		}
	}
	return s, nil
}

func largest(d *tensor.Dense) graph.Int8 {
	least, most := slices.Min(d.Float32s()), slices.Max(d.Float32s())
	i := graph.Int8{Scale: most / 255}
	if least < 0 {
		i = graph.Int8{Scale: max(most, -least) / 127, Signed: true}
	}
	if i.Scale == 0 {
		i.Scale = 1
	}
	return i
}
