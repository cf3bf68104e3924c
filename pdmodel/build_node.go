package pdmodel

import (
	"github.com/pptsn/pptsn/graph"
)

// node adds the operators that compute one node, or says why it cannot.
func (b *builder) node(n *graph.Node) (reason string) {
	in := convert(n.In, func(v *graph.Value) string { return b.vars[v] })
	out := b.unique(n.Out.Name)
	b.vars[n.Out] = b.tensor(out, n.Out.Shape)
	x := in[0]
	switch op := n.Op.(type) {
	case graph.Conv:
		b.conv(op, n, in, out)
	case graph.BatchNorm:
		b.batchNorm(op, n, in, out)
	case graph.Activate:
		return b.activate(op.Act, x, out)
	case graph.Pool:
		b.pool(op, x, out)
		return ceilDiffers(op)
	case graph.Binary:
		b.binary(op, n, in, out)
	case graph.Affine:
		b.scale(x, out, op.Scale, op.Shift)
	case graph.Linear:
		b.linear(op, n, in, out)
	case graph.Mean:
		b.mean(op, n, x, out)
	case graph.Reshape:
		b.reshape(op.Shape, x, n.In[0].Shape, out)
	case graph.Transpose:
		b.op("transpose2", slots{"X": {x}}, b.withShape(out, n.In[0].Shape), attrs{"axis": int32s(op.Perm)})
	case graph.Concat:
		b.op("concat", slots{"AxisTensor": {}, "X": in}, slots{"Out": {out}}, attrs{"axis": int32(op.Axis)})
	case graph.Slice:
		b.slice(op, x, out)
	case graph.Softmax:
		b.op("softmax", slots{"X": {x}}, slots{"Out": {out}}, attrs{"axis": int32(op.Axis)})
	case graph.Dropout:
		b.dropout(op, x, out, n.Out.Shape)
	case graph.TemporalShift:
		b.op("temporal_shift", slots{"X": {x}}, slots{"Out": {out}},
			attrs{"seg_num": int32(op.Segments), "shift_ratio": op.Ratio})
		return shiftDiffers(op, n.In[0])
	default:
		return "no operator of Paddle computes it"
	}
	return ""
}

// between declares a result between the operators of one node.
func (b *builder) between(out, what string, shape []int) string {
	return b.tensor(b.unique(out+"."+what), shape)
}

// withShape are the results of an operator that also passes on the shape of
// its operand, behind a 0.
func (b *builder) withShape(out string, from []int) slots {
	return slots{"Out": {out}, "XShape": {b.between(out, "xshape", append([]int{0}, from...))}}
}

// conv writes what is fused into a convolution as operators of its own.
func (b *builder) conv(c graph.Conv, n *graph.Node, in []string, out string) {
	typ, shape := "conv2d", n.Out.Shape
	if c.Groups > 1 && n.In[1].Shape[1] == 1 {
		typ = "depthwise_conv2d"
	}
	var last []string // results of all operators but the last
	for _, s := range []struct {
		name  string
		wants bool
	}{{"bias", c.Bias}, {"residual", c.Residual}, {"act", c.Act.Func != graph.Identity}} {
		if s.wants {
			last = append(last, b.between(out, "before_"+s.name, shape))
		}
	}
	last = append(last, out)
	b.op(typ, slots{"Bias": {}, "Filter": {in[1]}, "Input": {in[0]}, "ResidualData": {}}, slots{"Output": {last[0]}}, attrs{
		"data_format": "NCHW", "dilations": int32s(c.Dilation[:]), "groups": int32(c.Groups),
		"padding_algorithm": "EXPLICIT", "paddings": paddings(c.Pad), "strides": int32s(c.Stride[:]),
		"use_cudnn": typ == "conv2d", "use_mkldnn": false,
	})
	at := 0
	add := func(y string) {
		b.elementwise("elementwise_add", last[at], y, last[at+1])
		at++
	}
	if c.Bias {
		channels := []int{1, shape[1], 1, 1}
		bias := b.between(out, "bias", channels)
		b.reshape(channels, in[2], []int{shape[1]}, bias)
		add(bias)
	}
	if c.Residual {
		add(in[len(in)-1])
	}
	if c.Act.Func != graph.Identity {
		b.activate(c.Act, last[at], out)
	}
}

// paddings are two numbers where two suffice, as Paddle writes them.
func paddings(p graph.Pad) []int32 {
	if p.Top == p.Bottom && p.Left == p.Right {
		return int32s([]int{p.Top, p.Left})
	}
	return int32s([]int{p.Top, p.Bottom, p.Left, p.Right})
}

func (b *builder) batchNorm(bn graph.BatchNorm, n *graph.Node, in []string, out string) {
	stats := n.In[3].Shape
	b.op("batch_norm",
		slots{"X": {in[0]}, "Scale": {in[1]}, "Bias": {in[2]}, "Mean": {in[3]}, "Variance": {in[4]}, "MomentumTensor": {}},
		slots{"Y": {out}, "MeanOut": {in[3]}, "VarianceOut": {in[4]},
			"SavedMean": {b.between(out, "saved_mean", stats)}, "SavedVariance": {b.between(out, "saved_variance", stats)}},
		attrs{"data_layout": "NCHW", "epsilon": bn.Epsilon, "is_test": true, "momentum": float32(0.9),
			"trainable_statistics": false, "use_global_stats": false})
}

func (b *builder) activate(a graph.Activation, x, out string) (reason string) {
	var typ string
	var with attrs
	switch a.Func {
	case graph.Identity:
		b.scale(x, out, 1, 0)
		return ""
	case graph.ReLU:
		typ = "relu"
	case graph.ReLU6:
		typ, with = "relu6", attrs{"threshold": float32(6)}
	case graph.HardSwish:
		typ, with = "hard_swish", attrs{"offset": float32(3), "scale": float32(6), "threshold": float32(6)}
	case graph.HardSigmoid:
		typ, with = "hard_sigmoid", attrs{"offset": a.Offset, "slope": a.Slope}
	case graph.Sigmoid:
		typ = "sigmoid"
	default:
		return "no operator of Paddle computes it"
	}
	b.op(typ, slots{"X": {x}}, slots{"Out": {out}}, with)
	return ""
}

func (b *builder) pool(p graph.Pool, x, out string) {
	typ := "avg"
	if p.Max {
		typ = "max"
	}
	b.pool2d(x, out, typ, false, attrs{"ceil_mode": p.Ceil, "exclusive": !p.CountPadding,
		"ksize": int32s(p.Kernel[:]), "paddings": paddings(p.Pad), "strides": int32s(p.Stride[:]), "use_cudnn": true})
}

func (b *builder) pool2d(x, out, typ string, adaptive bool, a attrs) {
	a["pooling_type"], a["adaptive"], a["global_pooling"] = typ, adaptive, false
	a["data_format"], a["padding_algorithm"] = "NCHW", "EXPLICIT"
	b.op("pool2d", slots{"X": {x}}, slots{"Out": {out}}, a)
}

func int32s(v []int) []int32 { return convert(v, func(n int) int32 { return int32(n) }) }
