package onnx

import (
	"fmt"

	"github.com/pptsn/pptsn/graph"
)

// add writes the operators that compute a node.
func (b *builder) add(n *graph.Node, weights graph.Weights) error {
	name := b.resultName(n.Out)
	in := make([]string, len(n.In))
	for i, v := range n.In {
		in[i] = b.names[v]
	}
	switch op := n.Op.(type) {
	case graph.TemporalShift:
		b.names[n.Out] = b.temporalShift(name, in[0], op, n.In[0].Shape[1])
		return nil
	case graph.FakeQuant:
		return b.fakeQuant(n, weights)
	}
	steps, err := b.steps(n, name, in)
	if err != nil {
		return err
	}
	b.names[n.Out] = b.chain(name, in[0], steps...)
	return nil
}

// steps are the operators of a node whose result is called name and that reads
// the values called in; none if it does nothing.
func (b *builder) steps(n *graph.Node, name string, in []string) ([]step, error) {
	switch op := n.Op.(type) {
	case graph.Conv:
		return b.conv(name, op, n.In[1].Shape, in), nil
	case graph.BatchNorm:
		return []step{{"BatchNormalization", in[1:], []attribute{floatAttr("epsilon", op.Epsilon)}}}, nil
	case graph.Activate:
		return b.activation(name, op.Act), nil
	case graph.Pool:
		return b.pool(name, op, n.In[0].Shape, n.Out.Shape)
	case graph.Binary:
		kind := [...]string{graph.Add: "Add", graph.Sub: "Sub", graph.Mul: "Mul", graph.Div: "Div"}[op.Op]
		return append([]step{{op: kind, in: in[1:]}}, b.activation(name, op.Act)...), nil
	case graph.Affine:
		return b.affine(name, op), nil
	case graph.Linear:
		return b.linear(name, op, len(n.In[0].Shape), in), nil
	case graph.Mean:
		return b.mean(name, op), nil
	case graph.Reshape:
		return []step{{op: "Reshape", in: []string{b.ints(name, "shape", op.Shape...)}}}, nil
	case graph.Transpose:
		return []step{{op: "Transpose", attrs: []attribute{intsAttr("perm", op.Perm...)}}}, nil
	case graph.Concat:
		return []step{{"Concat", in[1:], []attribute{intAttr("axis", op.Axis)}}}, nil
	case graph.Slice:
		return []step{b.slice(name, op)}, nil
	case graph.Softmax:
		return []step{{op: "Softmax", attrs: []attribute{intAttr("axis", op.Axis)}}}, nil
	case graph.Dropout:
		return nil, nil
	}
	return nil, fmt.Errorf("%s has no ONNX operators", n.Op.Kind())
}

func (b *builder) conv(name string, c graph.Conv, weights []int, in []string) []step {
	operands, residual := in[1:], ""
	if c.Residual {
		operands, residual = in[1:len(in)-1], in[len(in)-1]
	}
	steps := []step{{"Conv", operands, []attribute{
		intsAttr("kernel_shape", weights[2], weights[3]),
		intsAttr("strides", c.Stride[:]...),
		intsAttr("dilations", c.Dilation[:]...),
		intsAttr("pads", c.Pad.Top, c.Pad.Left, c.Pad.Bottom, c.Pad.Right),
		intAttr("group", c.Groups),
	}}}
	if c.Residual {
		steps = append(steps, step{op: "Add", in: []string{residual}})
	}
	return append(steps, b.activation(name, c.Act)...)
}

func (b *builder) activation(name string, a graph.Activation) []step {
	switch a.Func {
	case graph.ReLU:
		return []step{{op: "Relu"}}
	case graph.ReLU6:
		return []step{{op: "Clip", in: []string{b.scalar(name, "min", 0), b.scalar(name, "max", 6)}}}
	case graph.HardSwish:
		return []step{{op: "HardSwish"}}
	case graph.HardSigmoid:
		return []step{{op: "HardSigmoid", attrs: []attribute{floatAttr("alpha", a.Slope), floatAttr("beta", a.Offset)}}}
	case graph.Sigmoid:
		return []step{{op: "Sigmoid"}}
	}
	return nil
}

func (b *builder) affine(name string, a graph.Affine) []step {
	var steps []step
	if a.Scale != 1 {
		steps = append(steps, step{op: "Mul", in: []string{b.scalar(name, "scale", a.Scale)}})
	}
	if a.Shift != 0 {
		steps = append(steps, step{op: "Add", in: []string{b.scalar(name, "shift", a.Shift)}})
	}
	return steps
}

// linear is Gemm for matrices, which has bias and transposition inside, else
// MatMul.
func (b *builder) linear(name string, l graph.Linear, rank int, in []string) []step {
	if rank == 2 {
		transposed := 0
		if l.Transposed {
			transposed = 1
		}
		return []step{{"Gemm", in[1:], []attribute{intAttr("transB", transposed)}}}
	}
	w := in[1]
	if l.Transposed {
		w = b.chain(b.fresh(name, "weights"), w, step{op: "Transpose", attrs: []attribute{intsAttr("perm", 1, 0)}})
	}
	steps := []step{{op: "MatMul", in: []string{w}}}
	if l.Bias {
		steps = append(steps, step{op: "Add", in: in[2:]})
	}
	return steps
}

func (b *builder) mean(name string, m graph.Mean) []step {
	if len(m.Axes) == 0 {
		return nil // where ONNX would average over all
	}
	keep := 0
	if m.Keep {
		keep = 1
	}
	return []step{{"ReduceMean", []string{b.ints(name, "axes", m.Axes...)}, []attribute{intAttr("keepdims", keep)}}}
}

func (b *builder) slice(name string, s graph.Slice) step {
	return step{op: "Slice", in: []string{
		b.ints(name, "starts", s.Starts...),
		b.ints(name, "ends", s.Ends...),
		b.ints(name, "axes", s.Axes...),
	}}
}
