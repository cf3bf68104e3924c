package torch

import (
	"math"

	"github.com/pptsn/pptsn/graph"
)

func (r *run) conv(op graph.Conv, in []Tensor) Tensor {
	x, w, rest := in[0], in[1], in[2:]
	if r.half {
		x = r.To(x, r.DType(w)) // what came by way of a matrix is wider
	}
	var bias Tensor
	if op.Bias {
		bias, rest = r.To(rest[0], r.DType(x)), rest[1:]
	}
	pad := op.Pad
	if pad.Top != pad.Bottom || pad.Left != pad.Right {
		x = r.pad(x, pad, 0)
		pad = graph.Pad{}
	}
	var y Tensor
	pads := []int{pad.Top, pad.Left}
	switch direct := r.pass.Direct; {
	case direct && r.session.device.CUDA && op.Act.Func == graph.ReLU:
		return r.fused(op, x, w, bias, rest, pads)
	case direct && !r.session.device.CUDA:
		y = r.Call("aten::mkldnn_convolution", x, w, bias, pads, op.Stride[:], op.Dilation[:], op.Groups)
	default:
		y = r.Call("aten::conv2d", x, w, bias, op.Stride[:], pads, r.dilation(op, w), op.Groups)
	}
	if op.Residual {
		y = r.Call("aten::add_.Tensor", y, rest[0], 1)
	}
	return r.activate(op.Act, y, op.Act.Func == graph.ReLU)
}

// dilation is that of op, or 2 where a kernel of 1x1 has none to show: libtorch
// leaves oneDNN for such a convolution, fewer than 16 images and one thread, and
// multiplies with whatever BLAS it finds (twenty times slower with the reference
// BLAS), but not if it is dilated (use_mkldnn in ATen/native/Convolution.cpp).
func (r *run) dilation(op graph.Conv, w Tensor) []int {
	shape := r.Shape(w)
	if r.session.device.CUDA || r.DType(w) != Float32 || shape[2] != 1 || shape[3] != 1 {
		return op.Dilation[:]
	}
	return []int{2, 2}
}

// fused is conv for cuDNN in one call, which spares two passes over memory.
func (r *run) fused(op graph.Conv, x, w, bias Tensor, rest []Tensor, pad []int) Tensor {
	if !op.Residual {
		return r.Call("aten::cudnn_convolution_relu", x, w, bias, op.Stride[:], pad, op.Dilation[:], op.Groups)
	}
	sum := r.To(rest[0], r.DType(w))
	return r.Call("aten::cudnn_convolution_add_relu", x, w, sum, 1, bias, op.Stride[:], pad, op.Dilation[:], op.Groups)
}

func (r *run) pad(x Tensor, p graph.Pad, value float64) Tensor {
	return r.Call("aten::constant_pad_nd", x, []int{p.Left, p.Right, p.Top, p.Bottom}, value)
}

// batchNorm leaves running statistics alone: libtorch would mix in the
// unbiased variance, Paddle's rule is the biased one.
func (r *run) batchNorm(op graph.BatchNorm, names []*graph.Value, in []Tensor) Tensor {
	x, scale, offset, mean, variance, epsilon := in[0], in[1], in[2], in[3], in[4], float64(op.Epsilon)
	if !r.pass.Training {
		return r.Call("aten::batch_norm", x, scale, offset, mean, variance, false, 0.1, epsilon, true)
	}
	var out [4]Tensor // result, mean, 1/deviation, space of cuDNN
	if g := r.pass.Sync; g != nil {
		norm := g.syncNorm(r.Scope, names[1].Name, x, scale, offset, epsilon, !r.standIn)
		copy(out[:], norm[:])
	} else {
		r.CallN("aten::_batch_norm_impl_index", out[:], x, scale, offset, nil, nil, true, 0.1, epsilon, true)
	}
	if r.pass.Stats != nil {
		*r.pass.Stats = append(*r.pass.Stats, BatchStats{
			Mean: names[3].Name, Variance: names[4].Name, BatchMean: out[1], InvStd: out[2], Epsilon: epsilon,
		})
	}
	return out[0]
}

func (r *run) activate(a graph.Activation, x Tensor, inPlace bool) Tensor {
	switch a.Func {
	case graph.ReLU:
		if inPlace {
			return r.Call("aten::relu_", x)
		}
		return r.Call("aten::relu", x)
	case graph.ReLU6:
		return r.Call("aten::clamp", x, 0.0, 6.0)
	case graph.HardSwish:
		return r.Call("aten::hardswish", x)
	case graph.HardSigmoid:
		return r.Call("aten::clamp", r.affine(x, a.Slope, a.Offset), 0.0, 1.0)
	case graph.Sigmoid:
		return r.Call("aten::sigmoid", x)
	}
	return r.Call("aten::alias", x)
}

// pool pads unevenly padded pictures itself. A last window that begins in the
// padding does not count, which libtorch cannot know then: shape is the
// result's.
func (r *run) pool(op graph.Pool, x Tensor, shape []int) Tensor {
	p := op.Pad
	even := p.Top == p.Bottom && p.Left == p.Right && 2*p.Top <= op.Kernel[0] && 2*p.Left <= op.Kernel[1]
	pads := []int{p.Top, p.Left}
	if op.Max {
		if !even {
			x, pads = r.pad(x, p, math.Inf(-1)), []int{0, 0}
		}
		return r.cut(r.Call("aten::max_pool2d", x, op.Kernel[:], op.Stride[:], pads, []int{1, 1}, op.Ceil), shape)
	}
	if even {
		return r.Call("aten::avg_pool2d", x, op.Kernel[:], op.Stride[:], pads, op.Ceil, op.CountPadding, nil)
	}
	// The mean over windows of an unevenly padded picture counts the padding;
	// where it must not, divide by the share of the window that is picture.
	mean := func(t Tensor) Tensor {
		return r.cut(r.Call("aten::avg_pool2d", r.pad(t, p, 0), op.Kernel[:], op.Stride[:], []int{0, 0}, op.Ceil, true, nil), shape)
	}
	y := mean(x)
	if op.CountPadding {
		return y
	}
	return r.Call("aten::div.Tensor", y, mean(r.Call("aten::ones_like", x, nil, nil, nil, nil, nil)))
}

// cut keeps the upper left part of that height and width.
func (r *run) cut(x Tensor, shape []int) Tensor {
	x = r.Call("aten::slice.Tensor", x, 2, 0, shape[2], 1)
	return r.Call("aten::slice.Tensor", x, 3, 0, shape[3], 1)
}

// mean of pictures gives pictures or, with fewer axes, features.
func (r *run) mean(op graph.Mean, x Tensor, axes int) Tensor {
	if len(op.Axes) == 0 { // to libtorch that means all
		return r.Call("aten::alias", x)
	}
	var as any
	if axes < 4 {
		as = r.wide()
	}
	return r.Call("aten::mean.dim", x, op.Axes, op.Keep, as)
}

// wide is the type of what is not a picture, as an operator's argument: in a
// network of 16 bits Float32, else that of the operands.
func (r *run) wide() any {
	if r.half {
		return Float32
	}
	return nil
}

func (r *run) binary(op graph.Binary, in []Tensor) Tensor {
	var y Tensor
	switch op.Op {
	case graph.Add:
		y = r.Call("aten::add.Tensor", in[0], in[1], 1)
	case graph.Sub:
		y = r.Call("aten::sub.Tensor", in[0], in[1], 1)
	case graph.Mul:
		y = r.Call("aten::mul.Tensor", in[0], in[1])
	case graph.Div:
		y = r.Call("aten::div.Tensor", in[0], in[1])
	}
	if op.Act.Func == graph.Identity {
		return y
	}
	return r.activate(op.Act, y, false)
}

func (r *run) affine(x Tensor, scale, shift float32) Tensor {
	return r.Call("aten::add.Scalar", r.Call("aten::mul.Scalar", x, float64(scale)), float64(shift), 1)
}

func (r *run) linear(op graph.Linear, in []Tensor) Tensor {
	x, w := in[0], in[1]
	if r.half {
		x = r.To(x, Float32)
	}
	if !op.Transposed {
		w = r.Call("aten::t", w) // [O, I], as the operator wants it
	}
	var bias Tensor
	if op.Bias {
		bias = r.To(in[2], r.DType(x)) // with 16-bit weights a bias may be wider
	}
	return r.Call("aten::linear", x, w, bias)
}

func (r *run) slice(op graph.Slice, x Tensor) Tensor {
	for i, axis := range op.Axes {
		x = r.Call("aten::slice.Tensor", x, axis, op.Starts[i], op.Ends[i], 1)
	}
	return x
}

// temporalShift moves the channels of [N*T, C, H, W] along T.
func (r *run) temporalShift(op graph.TemporalShift, x Tensor, shape []int) Tensor {
	t, c := op.Segments, shape[1]
	fold := int(float32(c) * op.Ratio)
	x = r.Call("aten::reshape", x, []int{-1, t, c, shape[2], shape[3]})
	part := func(from, to int) Tensor { return r.Call("aten::slice.Tensor", x, 2, from, to, 1) }
	shifted := func(p Tensor, before, after int) Tensor { // zeros come in, the other end falls off
		p = r.Call("aten::constant_pad_nd", p, []int{0, 0, 0, 0, 0, 0, before, after}, 0.0)
		return r.Call("aten::slice.Tensor", p, 1, after, t+after, 1)
	}
	y := r.Call("aten::cat", []Tensor{
		shifted(part(0, fold), 1, 0), shifted(part(fold, 2*fold), 0, 1), part(2*fold, c),
	}, 2)
	return r.Call("aten::reshape", y, shape)
}
