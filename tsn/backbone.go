package tsn

import (
	"fmt"

	"github.com/pptsn/pptsn/graph"
)

// Stages is the number of residual blocks in each of the four stages.
func (s Spec) Stages() [4]int {
	return map[int][4]int{
		18: {2, 2, 2, 2}, 34: {3, 4, 6, 3}, 50: {3, 4, 6, 3},
		101: {3, 4, 23, 3}, 152: {3, 8, 36, 3}, 200: {3, 12, 48, 3},
	}[s.Layers]
}

// backbone is the residual network without its classifier:
// [N*T, 3, H, W] -> [N*T, C, H/32, W/32], sides rounded up.
func (b *builder) backbone(x *graph.Value) *graph.Value {
	x = b.stem(x)
	pool := "backbone.pool2d_max"
	if b.spec.Family == TSN {
		pool = "backbone.pool2D_max" // the layer's name in the reference
	}
	x = b.g.Must(pool, graph.Pool{
		Max: true, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: graph.SamePad(1),
	}, x)
	for stage, blocks := range b.spec.Stages() {
		for i := range blocks {
			x = b.block(x, stage, i)
		}
	}
	return x
}

// stem halves the sides: three 3x3 convolutions in PP-TSN, one 7x7 in TSN.
func (b *builder) stem(x *graph.Value) *graph.Value {
	if b.spec.Family == TSN {
		return b.convBN(x, "backbone.conv", "conv1", 64, 7, 2, true)
	}
	x = b.convBN(x, "backbone.conv1_1", "conv1_1", 32, 3, 2, true)
	x = b.convBN(x, "backbone.conv1_2", "conv1_2", 32, 3, 1, true)
	return b.convBN(x, "backbone.conv1_3", "conv1_3", 64, 3, 1, true)
}

// block is residual block i of a stage: bottleneck (1x1, 3x3, 1x1) from 50
// layers on, else basic (3x3, 3x3).
func (b *builder) block(x *graph.Value, stage, i int) *graph.Value {
	layer := b.blockName(stage, i)
	path := "backbone." + layer // TSN
	if b.spec.Family == PPTSN {
		path = fmt.Sprintf("backbone.bb_%d_%d", stage, i)
	}
	width, stride := 64<<stage, 1
	if i == 0 && stage > 0 {
		stride = 2
	}
	out, y := width, x
	if b.spec.Layers >= 50 {
		out = 4 * width
		y = b.convBN(y, path+".conv0", layer+"_branch2a", width, 1, 1, true)
		y = b.convBN(y, path+".conv1", layer+"_branch2b", width, 3, stride, true)
		y = b.convBN(y, path+".conv2", layer+"_branch2c", out, 1, 1, false)
	} else {
		y = b.convBN(y, path+".conv0", layer+"_branch2a", width, 3, stride, true)
		y = b.convBN(y, path+".conv1", layer+"_branch2b", width, 3, 1, false)
	}
	short := x
	if i == 0 && (out != x.Shape[1] || b.spec.Family == PPTSN) { // TSN of 18 layers begins with a block that changes no size
		short = b.shortcut(x, path, layer, out, stride)
	}
	y = b.g.Must(path+".sum", graph.Binary{Op: graph.Add}, short, y)
	return b.g.Must(path, graph.Activate{Act: graph.Activation{Func: graph.ReLU}}, y)
}

// shortcut brings x to a stage's size and channels. Where TSN strides its 1x1
// convolution, PP-TSN averages 2x2 pixels before it (ResNet-D), so that no
// pixel is ignored.
func (b *builder) shortcut(x *graph.Value, path, layer string, out, stride int) *graph.Value {
	if b.spec.Family == TSN {
		return b.convBN(x, path+".short", layer+"_branch1", out, 1, stride, false)
	}
	if stride > 1 {
		x = b.g.Must(path+".short._pool2d_avg", graph.Pool{
			Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Ceil: true,
		}, x)
	}
	return b.convBN(x, path+".short", layer+"_branch1", out, 1, 1, false)
}

// blockName is Caffe's name of a block, which Paddle's variables carry: res2a,
// res2b, ..., but res4b1, res4b2, ... in the long third stages.
func (b *builder) blockName(stage, i int) string {
	if b.spec.Layers > 50 && stage == 2 && i > 0 {
		return fmt.Sprintf("res%db%d", stage+2, i)
	}
	return fmt.Sprintf("res%d%c", stage+2, 'a'+i)
}
