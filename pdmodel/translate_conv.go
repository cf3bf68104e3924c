package pdmodel

import (
	"github.com/pptsn/pptsn/graph"
)

// conv translates the convolutions, with what oneDNN's and cuDNN's fusion
// passes put into them: bias, residual sum, activation.
func (t *translator) conv() {
	t.wantNCHW("data_format")
	x, w := t.in("Input"), t.param("Filter")
	if len(x.Shape) != 4 || len(w.Shape) != 4 {
		refuse("input %s and filter %s, want 4 axes each", x, w)
	}
	c := graph.Conv{
		Stride:   t.pair("strides"),
		Dilation: t.pair("dilations"),
		Groups:   t.int("groups", 1),
		Act:      t.convActivation(),
	}
	if t.text("padding_algorithm", "EXPLICIT") == "SAME" {
		c.Dilation = [2]int{1, 1} // Paddle ignores it then
	}
	c.Pad = t.padding(x, [2]int{w.Shape[2], w.Shape[3]}, c.Stride)
	in := []*graph.Value{w}
	if b := t.optional("Bias"); b != nil {
		c.Bias, in = true, append(in, b)
	}
	if r := t.optional("ResidualData"); r != nil && t.addsResidual() {
		c.Residual, in = true, append(in, r)
	}
	for _, list := range []string{"split_channels", "fused_reshape2_shape"} {
		if v := t.ints(list); len(v) > 0 {
			refuse("%s %v", list, v)
		}
	}
	t.emit("Output", x, stage{c, in})
}

// addsResidual: cuDNN's fused convolution adds what it is given, the others
// only if told to.
func (t *translator) addsResidual() bool {
	return t.cudnnFused() || t.flag("fuse_residual_connection")
}

func (t *translator) cudnnFused() bool {
	return t.op.Type == "conv2d_fusion" || t.op.Type == "fused_conv2d_add_act"
}

func (t *translator) convActivation() graph.Activation {
	switch {
	case t.cudnnFused():
		return t.fused(t.text("activation", "relu"))
	case t.flag("fuse_relu"):
		return graph.Activation{Func: graph.ReLU}
	case t.flag("fuse_brelu"):
		if v := t.float("fuse_brelu_threshold", 6); v != 6 {
			refuse("fuse_brelu_threshold %v", v)
		}
		return graph.Activation{Func: graph.ReLU6}
	}
	return t.fused(t.text("fuse_activation", ""))
}

// padding is the padding of a window over x as an operator's attributes tell.
func (t *translator) padding(x *graph.Value, kernel, stride [2]int) graph.Pad {
	switch algorithm := t.text("padding_algorithm", "EXPLICIT"); algorithm {
	case "EXPLICIT":
		switch p := t.ints("paddings", 0, 0); len(p) {
		case 2:
			return graph.Pad{Top: p[0], Left: p[1], Bottom: p[0], Right: p[1]}
		case 4:
			return graph.Pad{Top: p[0], Bottom: p[1], Left: p[2], Right: p[3]}
		default:
			refuse("paddings %v: want 2 or 4 numbers", p)
		}
	case "SAME":
		var p graph.Pad
		p.Top, p.Bottom = same(x.Shape[2], kernel[0], stride[0])
		p.Left, p.Right = same(x.Shape[3], kernel[1], stride[1])
		return p
	case "VALID":
	default:
		refuse("padding_algorithm %s", algorithm)
	}
	return graph.Pad{}
}

// same is the padding along one axis with which the output has
// ceil(size/stride) positions; the odd pixel goes behind.
func same(size, kernel, stride int) (before, after int) {
	switch {
	case stride < 1:
		refuse("stride %d", stride)
	case size == graph.Unknown && stride > 1:
		refuse("padding_algorithm SAME of a size that is known only at run time")
	}
	sum := kernel - 1
	if size != graph.Unknown {
		sum = max((size+stride-1)/stride*stride-stride+kernel-size, 0)
	}
	return sum / 2, sum - sum/2
}

// batchNorm translates batch norm with fixed statistics.
func (t *translator) batchNorm() {
	t.wantNCHW("data_layout")
	if !t.flag("use_global_stats") && (!t.flag("is_test") || t.flag("trainable_statistics")) {
		refuse("uses the batch's own statistics: the program was exported in training mode")
	}
	bn := graph.BatchNorm{Epsilon: t.float("epsilon", 1e-5)}
	stages := []stage{{bn, []*graph.Value{t.param("Scale"), t.param("Bias"), t.param("Mean"), t.param("Variance")}}}
	if t.flag("fuse_with_relu") {
		stages = append(stages, stage{op: graph.Activate{Act: graph.Activation{Func: graph.ReLU}}})
	}
	t.emit("Y", t.in("X"), stages...)
}
