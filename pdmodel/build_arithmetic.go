package pdmodel

import (
	"slices"

	"github.com/pptsn/pptsn/graph"
)

func (b *builder) elementwise(typ, x, y, out string) {
	b.op(typ, slots{"X": {x}, "Y": {y}}, slots{"Out": {out}}, attrs{"axis": int32(-1)})
}

// binary needs no attribute axis: -1 is numpy's broadcasting.
func (b *builder) binary(op graph.Binary, n *graph.Node, in []string, out string) {
	typ, result := "elementwise_"+op.Op.String(), out
	if op.Act.Func != graph.Identity {
		result = b.between(out, "before_act", n.Out.Shape)
	}
	b.elementwise(typ, in[0], in[1], result)
	if result != out {
		b.activate(op.Act, result, out)
	}
}

func (b *builder) scale(x, out string, factor, shift float32) {
	b.op("scale", slots{"ScaleTensor": {}, "X": {x}}, slots{"Out": {out}},
		attrs{"bias": shift, "bias_after_scale": true, "scale": factor})
}

func (b *builder) linear(l graph.Linear, n *graph.Node, in []string, out string) {
	product := out
	if l.Bias {
		product = b.between(out, "before_bias", n.Out.Shape)
	}
	b.op("matmul_v2", slots{"X": {in[0]}, "Y": {in[1]}}, slots{"Out": {product}},
		attrs{"trans_x": false, "trans_y": l.Transposed})
	if l.Bias {
		b.elementwise("elementwise_add", product, in[2], out)
	}
}

// mean is pooling where it averages all pixels of images, as layers of Paddle
// have it.
func (b *builder) mean(m graph.Mean, n *graph.Node, x, out string) {
	rank := len(n.In[0].Shape)
	axes := slices.Compact(slices.Sorted(slices.Values(m.Axes)))
	switch {
	case len(axes) == 0: // reduce_mean would take that for all axes
		b.scale(x, out, 1, 0)
	case m.Keep && rank == 4 && slices.Equal(axes, []int{2, 3}):
		b.pool2d(x, out, "avg", true, attrs{"ceil_mode": false, "exclusive": true,
			"ksize": []int32{1, 1}, "paddings": []int32{0, 0}, "strides": []int32{1, 1}, "use_cudnn": false})
	default:
		b.op("reduce_mean", slots{"X": {x}}, slots{"Out": {out}},
			attrs{"dim": int32s(axes), "keep_dim": m.Keep, "reduce_all": len(axes) == rank,
				"in_dtype": int32(-1), "out_dtype": int32(-1)})
	}
}

// reshape gives x, which has shape from, the shape to.
func (b *builder) reshape(to []int, x string, from []int, out string) {
	b.op("reshape2", slots{"Shape": {}, "ShapeTensor": {}, "X": {x}}, b.withShape(out, from), attrs{"shape": int32s(to)})
}

func (b *builder) slice(s graph.Slice, x, out string) {
	known := make([]int32, len(s.Axes)) // no bound is a tensor
	for i := range known {
		known[i] = 1
	}
	b.op("slice",
		slots{"EndsTensor": {}, "EndsTensorList": {}, "Input": {x}, "StartsTensor": {}, "StartsTensorList": {}},
		slots{"Out": {out}},
		attrs{"axes": int32s(s.Axes), "starts": int32s(s.Starts), "ends": int32s(s.Ends),
			"decrease_axis": []int32{}, "infer_flags": known})
}

// dropout names a mask, which Paddle before 2.5 wants, though it is never
// computed in inference.
func (b *builder) dropout(d graph.Dropout, x, out string, shape []int) {
	b.op("dropout", slots{"Seed": {}, "X": {x}}, slots{"Mask": {b.between(out, "mask", shape)}, "Out": {out}},
		attrs{"dropout_implementation": "upscale_in_train", "dropout_prob": d.P, "is_test": true})
}
