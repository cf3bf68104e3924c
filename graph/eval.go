package graph

import (
	"fmt"

	"github.com/pptsn/pptsn/tensor"
)

// Eval computes the graph's outputs for inputs, in plain Go. It is the meaning
// of a graph, against which engines are checked: each operation is the simplest
// loop that can be read, sums are float64 and rounded to float32 once. It is
// slow: a ResNet-50 takes seconds a picture.
func Eval(g *Graph, w Weights, inputs ...*tensor.Dense) ([]*tensor.Dense, error) {
	shapes := make([][]int, len(inputs))
	for i, in := range inputs {
		if in.Type != tensor.Float32 {
			return nil, fmt.Errorf("graph %s: input %d is %s, want float32", g.Name, i, in.Type)
		}
		shapes[i] = in.Shape
	}
	g, err := g.Bind(shapes...)
	if err != nil {
		return nil, err
	}
	if err := g.CheckWeights(w); err != nil {
		return nil, err
	}
	values := map[*Value]*tensor.Dense{}
	for i, v := range g.Inputs {
		values[v] = inputs[i]
	}
	for _, p := range g.Params {
		values[p] = w[p.Name]
	}
	last := g.lastReaders()
	for _, n := range g.Nodes {
		in := make([]*tensor.Dense, len(n.In))
		for i, v := range n.In {
			in[i] = values[v]
		}
		values[n.Out] = evalNode(n, in)
		for _, v := range n.In {
			if last[v] == n && !v.Param {
				delete(values, v)
			}
		}
	}
	out := make([]*tensor.Dense, len(g.Outputs))
	for i, v := range g.Outputs {
		out[i] = values[v]
	}
	return out, nil
}

// lastReaders maps each value to the last node that reads it; outputs, which
// must outlive all nodes, to none.
func (g *Graph) lastReaders() map[*Value]*Node {
	last := map[*Value]*Node{}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			last[v] = n
		}
	}
	for _, v := range g.Outputs {
		delete(last, v)
	}
	return last
}

// EvalNode computes one operation on operands that fit it, as Eval does. An
// engine may call it for operations that it has no faster way for.
func EvalNode(op Op, in ...*tensor.Dense) (*tensor.Dense, error) {
	shapes := make([][]int, len(in))
	for i, t := range in {
		shapes[i] = t.Shape
	}
	shape, err := op.infer(shapes)
	if err != nil {
		return nil, fmt.Errorf("graph: %s: %w", op.Kind(), err)
	}
	return evalNode(&Node{Op: op, Out: &Value{Shape: shape}}, in), nil
}

func evalNode(n *Node, in []*tensor.Dense) *tensor.Dense {
	out := tensor.New(tensor.Float32, n.Out.Shape...)
	switch op := n.Op.(type) {
	case Conv:
		evalConv(op, out, in)
	case BatchNorm:
		evalBatchNorm(op, out, in)
	case Activate:
		evalActivation(op.Act, out, in[0])
	case Pool:
		evalPool(op, out, in[0])
	case Binary:
		evalBinary(op, out, in[0], in[1])
	case Affine:
		evalAffine(op, out, in[0])
	case Linear:
		evalLinear(op, out, in)
	case Mean:
		evalMean(op, out, in[0])
	case Reshape, Dropout:
		copy(out.Data, in[0].Data)
	case Transpose:
		evalTranspose(op, out, in[0])
	case Concat:
		evalConcat(op, out, in)
	case Slice:
		evalSlice(op, out, in[0])
	case Softmax:
		evalSoftmax(op, out, in[0])
	case TemporalShift:
		evalTemporalShift(op, out, in[0])
	case FakeQuant:
		evalFakeQuant(op, out, in[0])
	default:
		panic("graph: no evaluation of " + n.Op.Kind())
	}
	return out
}
