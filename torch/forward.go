package torch

import (
	"fmt"

	"github.com/pptsn/pptsn/graph"
)

// A Pass is how a network is computed.
type Pass struct {
	// Training normalises with the statistics of the batch and drops features;
	// otherwise running statistics hold and nothing is dropped.
	Training bool
	// Params replace the network's own for this pass, by name; absent ones stay.
	Params map[string]Tensor
	// Direct calls oneDNN's and cuDNN's own operators for convolutions, for
	// inference. cuDNN's compute the sum and ReLU behind them as well, and
	// libtorch would give those with one pixel to a BLAS if it has one thread.
	Direct bool
	// Stats receives the statistics of every batch norm, in order, if Training.
	Stats *[]BatchStats
	// Sync makes batch norms normalise with the statistics of all ranks'
	// batches together, if Training; nil: each rank with its own. A rank
	// without clips takes part with inputs whose first axis is 0.
	Sync *Group
}

// BatchStats are what one batch norm saw of a batch: Mean and InvStd [C],
// 1/sqrt(biased variance + Epsilon).
type BatchStats struct {
	Mean, Variance string // names of the running statistics' parameters
	BatchMean      Tensor
	InvStd         Tensor
	Epsilon        float64
}

// Variances are the biased variances of the batch, [C].
func (b BatchStats) Variances(s *Scope) Tensor {
	v := s.Call("aten::reciprocal", s.Call("aten::mul.Tensor", b.InvStd, b.InvStd))
	return s.Call("aten::add.Scalar", v, -b.Epsilon, 1)
}

// Forward computes the outputs for inputs on the session's device. With
// Training it is called inside Scope.WithGrad if gradients are wanted.
// Intermediate tensors are freed as soon as nothing needs them.
func (n *Network) Forward(s *Scope, pass Pass, inputs ...Tensor) []Tensor {
	if pass.Training && pass.Sync != nil && n.without(s, inputs) {
		return n.standIn(s, pass, inputs)
	}
	return n.forward(s, pass, inputs, false)
}

// without says that the inputs are a batch without clips.
func (n *Network) without(s *Scope, inputs []Tensor) bool {
	for _, t := range inputs {
		if shape := s.Shape(t); len(shape) > 0 && shape[0] == 0 {
			return true
		}
	}
	return false
}

// standIn computes one clip of zeros in the place of none: other ranks' batch
// norms want this rank to take part. The clip counts in no statistics, and
// none of its results is given: so gradients through it are zeros.
func (n *Network) standIn(s *Scope, pass Pass, inputs []Tensor) []Tensor {
	clips := make([]Tensor, len(inputs))
	for i, t := range inputs {
		if shape := s.Shape(t); s.err == nil {
			shape[0] = 1
			clips[i] = s.Call("aten::new_zeros", t, shape, nil, nil, nil, nil)
		}
	}
	out := n.forward(s, pass, clips, true)
	for i, t := range out {
		out[i] = s.Call("aten::slice.Tensor", t, 0, 0, 0, 1)
	}
	return out
}

func (n *Network) forward(s *Scope, pass Pass, inputs []Tensor, standIn bool) []Tensor {
	shapes := make([][]int, len(inputs))
	for i, t := range inputs {
		shapes[i] = s.Shape(t)
	}
	if s.err != nil {
		return make([]Tensor, len(n.graph.Outputs))
	}
	p, err := n.plan(shapes)
	if err != nil {
		s.Fail(fmt.Errorf("torch: %w", err))
		return make([]Tensor, len(n.graph.Outputs))
	}
	r := &run{Scope: s, pass: pass, plan: p, half: n.dtype.half(), standIn: standIn, values: map[*graph.Value]Tensor{}}
	for i, v := range p.graph.Inputs {
		r.values[v] = inputs[i]
	}
	for _, v := range p.graph.Params {
		r.values[v] = n.params[v.Name]
		if t, ok := pass.Params[v.Name]; ok {
			r.values[v] = t
		}
	}
	return r.all()
}

// A run is one forward pass.
type run struct {
	*Scope
	pass   Pass
	plan   *plan
	half   bool // the network's pictures and filters have 16 bits, see NetworkOptions
	values map[*graph.Value]Tensor
	// standIn says that the inputs stand for a batch without clips.
	standIn bool
}

func (r *run) all() []Tensor {
	made := map[*graph.Value]bool{}
	for _, n := range r.plan.graph.Nodes {
		in := make([]Tensor, len(n.In))
		for i, v := range n.In {
			in[i] = r.values[v]
		}
		out := r.node(n, in)
		if r.err != nil {
			r.err = fmt.Errorf("%s %q: %w", n.Op.Kind(), n.Out.Name, r.err)
			break
		}
		r.values[n.Out], made[n.Out] = out, true
		for _, v := range n.In {
			if made[v] && r.plan.last[v] == n {
				r.Release(r.values[v])
			}
		}
	}
	out := make([]Tensor, len(r.plan.graph.Outputs))
	for i, v := range r.plan.graph.Outputs {
		out[i] = r.values[v]
	}
	return out
}

// node computes one operation. The result is always a tensor of its own
// handle, never one of the operands'.
func (r *run) node(n *graph.Node, in []Tensor) Tensor {
	over, inPlace := r.plan.over[n]
	switch op := n.Op.(type) {
	case graph.Conv:
		return r.conv(op, in)
	case graph.BatchNorm:
		return r.batchNorm(op, n.In, in)
	case graph.Activate:
		return r.activate(op.Act, in[0], inPlace)
	case graph.Pool:
		return r.pool(op, in[0], n.Out.Shape)
	case graph.Binary:
		if inPlace {
			return r.activate(op.Act, r.Call("aten::add_.Tensor", in[over], in[1-over], 1), true)
		}
		return r.binary(op, in)
	case graph.Affine:
		return r.affine(in[0], op.Scale, op.Shift)
	case graph.Linear:
		return r.linear(op, in)
	case graph.Mean:
		return r.mean(op, in[0], len(n.Out.Shape))
	case graph.Reshape:
		return r.Call("aten::reshape", in[0], n.Out.Shape)
	case graph.Transpose:
		return r.Call("aten::permute", in[0], op.Perm)
	case graph.Concat:
		return r.Call("aten::cat", in, op.Axis)
	case graph.Slice:
		return r.slice(op, in[0])
	case graph.Softmax:
		return r.Call("aten::softmax.int", in[0], op.Axis, r.wide())
	case graph.Dropout:
		return r.Call("aten::dropout", in[0], float64(op.P), r.pass.Training)
	case graph.TemporalShift:
		return r.temporalShift(op, in[0], n.Out.Shape)
	}
	r.Fail(fmt.Errorf("torch: no way to compute %s", n.Op.Kind()))
	return Tensor{}
}
