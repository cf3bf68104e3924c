package graph

import (
	"fmt"

	"github.com/pptsn/pptsn/tensor"
)

// QuantizeOptions tunes Quantize.
type QuantizeOptions struct {
	FloatBias bool // biases stay as they are, as TensorRT wants them
}

// Quantize returns an optimised graph in which every rounding that scales ask
// for is a FakeQuant of its own: behind each value that is held in 8 bits, and
// behind the weights and biases of the convolutions that multiply integers.
// The weights are those of g. It is what int8 means, to the evaluator and to
// files; engines with integer arithmetic take the scales themselves.
func Quantize(g *Graph, w Weights, s Scales, o QuantizeOptions) (*Graph, error) {
	if err := s.Check(g); err != nil {
		return nil, err
	}
	if err := g.CheckWeights(w); err != nil {
		return nil, err
	}
	q := quantizer{to: New(g.Name), w: w, scales: s, options: o, values: map[*Value]*Value{}}
	for _, v := range g.Inputs {
		q.values[v] = q.to.Input(v.Name, v.Shape...)
		q.hold(v)
	}
	for _, p := range g.Params {
		q.values[p] = q.to.Param(p.Name, p.Shape...)
	}
	for _, n := range g.Nodes {
		q.add(n)
	}
	for _, v := range g.Outputs {
		q.to.Output(q.values[v])
	}
	return q.to, nil
}

type quantizer struct {
	to      *Graph
	w       Weights
	scales  Scales
	options QuantizeOptions
	values  map[*Value]*Value // what stands for a value of the graph that is read
}

// hold puts a rounding behind a value that is held in 8 bits.
func (q quantizer) hold(v *Value) {
	if i, ok := q.scales[v.Name]; ok {
		q.values[v] = q.round(q.values[v], FakeQuant{Type: i.Type(), Scales: []float32{i.Scale}})
	}
}

func (q quantizer) round(v *Value, op FakeQuant) *Value {
	name := v.Name + "/int8"
	for i := 2; q.to.Has(name); i++ {
		name = fmt.Sprintf("%s/int8_%d", v.Name, i)
	}
	return q.to.Must(name, op, v)
}

func (q quantizer) add(n *Node) {
	in := mapped(n.In, q.values)
	if q.scales.InInt8(n) {
		op := IntegerConv(n, q.w, q.scales)
		in[1] = q.round(in[1], op.Weights)
		if op.Bias.Scales != nil && !q.options.FloatBias {
			in[2] = q.round(in[2], op.Bias)
		}
	}
	q.values[n.Out] = q.to.Must(n.Out.Name, n.Op, in...)
	q.hold(n.Out)
}

// Rounding is how the operands of a convolution of integers are rounded.
type Rounding struct {
	Weights FakeQuant
	Bias    FakeQuant // without Scales if there is none
}

// IntegerConv is the rounding of a node that multiplies integers, see
// Scales.InInt8.
func IntegerConv(n *Node, w Weights, s Scales) Rounding {
	channels := ChannelScales(w[n.In[1].Name])
	r := Rounding{Weights: FakeQuant{Type: tensor.Int8, Scales: channels}}
	if n.Op.(Conv).Bias {
		products := make([]float32, len(channels))
		for o, c := range channels {
			products[o] = c * s[n.In[0].Name].Scale
		}
		r.Bias = FakeQuant{Type: tensor.Int32, Scales: products}
	}
	return r
}
