package onnx

import (
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// SplitSums takes the sums out of a quantised graph's convolutions (see
// graph.Quantize), and rounds what is added: ONNX Runtime multiplies integers
// only in a convolution whose result is rounded at once. TensorRT wants the
// graph as it was.
//
// No scale of the addend is known, but what is left of it is: where the sum
// saturates, so may the addend. So it is held up to the difference of the sum's
// range and that of the other operand. This is one rounding more, of a step
// about twice that of the sum.
func SplitSums(g *graph.Graph) *graph.Graph {
	s := sums{to: graph.New(g.Name), users: g.Users(), rounding: map[*graph.Value]graph.FakeQuant{}, values: map[*graph.Value]*graph.Value{}}
	for _, v := range g.Inputs {
		s.values[v] = s.to.Input(v.Name, v.Shape...)
	}
	for _, p := range g.Params {
		s.values[p] = s.to.Param(p.Name, p.Shape...)
	}
	for _, n := range g.Nodes {
		if op, ok := n.Op.(graph.FakeQuant); ok {
			s.rounding[n.Out] = op
		}
		s.add(g, n)
	}
	for _, v := range g.Outputs {
		s.to.Output(s.values[v])
	}
	return s.to
}

type sums struct {
	to       *graph.Graph
	users    map[*graph.Value][]*graph.Node
	rounding map[*graph.Value]graph.FakeQuant // that made a value
	values   map[*graph.Value]*graph.Value    // from the old graph to the new
}

func (s sums) add(g *graph.Graph, n *graph.Node) {
	in := make([]*graph.Value, len(n.In))
	for i, v := range n.In {
		in[i] = s.values[v]
	}
	conv, _ := n.Op.(graph.Conv)
	addend, ok := s.addend(n)
	if !ok {
		s.values[n.Out] = s.to.Must(n.Out.Name, n.Op, in...)
		return
	}
	last := len(in) - 1
	act := conv.Act
	conv.Residual, conv.Act = false, graph.Activation{}
	product := s.to.Must(freshIn(g, n.Out.Name+"/product"), conv, in[:last]...)
	product = s.to.Must(freshIn(g, product.Name+"/int8"), addend, product)
	s.values[n.Out] = s.to.Must(n.Out.Name, graph.Binary{Op: graph.Add, Act: act}, product, in[last])
}

// addend is the rounding of what a convolution adds to its residual; ok is
// false if the node is none with integers on all sides.
func (s sums) addend(n *graph.Node) (_ graph.FakeQuant, ok bool) {
	conv, _ := n.Op.(graph.Conv)
	_, integers := s.rounding[n.In[0]]
	other, known := s.rounding[n.In[len(n.In)-1]]
	users := s.users[n.Out]
	if !conv.Residual || !integers || !known || len(users) != 1 {
		return graph.FakeQuant{}, false
	}
	sum, rounded := users[0].Op.(graph.FakeQuant)
	if !rounded {
		return graph.FakeQuant{}, false
	}
	sumLeast, sumMost := limits(sum)
	otherLeast, otherMost := limits(other)
	largest := max(sumMost-otherLeast, otherMost-sumLeast)
	return graph.FakeQuant{Type: tensor.Int8, Scales: []float32{largest / 127}}, true
}

// limits are the least and the largest number that a rounding gives.
func limits(f graph.FakeQuant) (least, most float32) {
	l, m := f.Limits()
	return float32(l) * f.Scales[0], float32(m) * f.Scales[0]
}

func freshIn(g *graph.Graph, name string) string {
	for g.Has(name) {
		name += "_"
	}
	return name
}
