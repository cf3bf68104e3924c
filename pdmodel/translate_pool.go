package pdmodel

import (
	"github.com/pptsn/pptsn/graph"
)

// pool translates pooling; the mean of all pixels becomes graph.Mean.
func (t *translator) pool() {
	t.wantNCHW("data_format")
	x := t.in("X")
	if len(x.Shape) != 4 {
		refuse("input %s, want 4 axes", x)
	}
	p := graph.Pool{
		Max:          t.text("pooling_type", "") == "max",
		Ceil:         t.flag("ceil_mode"),
		CountPadding: !attribute(t, "exclusive", true),
	}
	if typ := t.text("pooling_type", ""); typ != "max" && typ != "avg" {
		refuse("pooling_type %q", typ)
	}
	ksize := t.ints("ksize")
	global := t.flag("global_pooling")
	if !global && len(ksize) != 2 {
		refuse("ksize %v: want 2 numbers", ksize)
	}
	switch {
	case global, t.flag("adaptive") && ksize[0] == 1 && ksize[1] == 1:
		t.poolAll(x, p.Max)
		return
	case t.flag("adaptive"):
		p = adaptive(x, p, [2]int(ksize))
	default:
		p.Kernel, p.Stride = [2]int(ksize), t.pair("strides")
		p.Pad = t.padding(x, p.Kernel, p.Stride)
	}
	if reason := ceilDiffers(p); reason != "" {
		refuse("%s", reason)
	}
	t.emit("Out", x, stage{op: p})
}

// poolAll pools all pixels into one.
func (t *translator) poolAll(x *graph.Value, largest bool) {
	if !largest {
		t.emit("Out", x, stage{op: graph.Mean{Axes: []int{2, 3}, Keep: true}})
		return
	}
	h, w := x.Shape[2], x.Shape[3]
	if h == graph.Unknown || w == graph.Unknown {
		refuse("the maximum of an image whose size is known only at run time")
	}
	t.emit("Out", x, stage{op: graph.Pool{Max: true, Kernel: [2]int{h, w}, Stride: [2]int{1, 1}}})
}

// adaptive is pooling to a size of which the input's is a multiple, so that
// all windows are equal and do not overlap.
func adaptive(x *graph.Value, p graph.Pool, to [2]int) graph.Pool {
	for i, size := range x.Shape[2:] {
		if to[i] < 1 || size == graph.Unknown || size%to[i] != 0 {
			refuse("adaptive pooling of %s to %v: windows of unequal size", x, to)
		}
		p.Kernel[i], p.Stride[i] = size/to[i], size/to[i]
	}
	p.Ceil, p.CountPadding = false, false
	return p
}

// ceilDiffers says why Paddle and graph.Pool disagree, empty if they do not:
// where windows may hang over the edge Paddle also counts one that lies in the
// padding alone or beyond it.
func ceilDiffers(p graph.Pool) string {
	if p.Ceil && (p.Pad.Bottom+p.Stride[0] > p.Kernel[0] || p.Pad.Right+p.Stride[1] > p.Kernel[1]) {
		return "ceil_mode with windows that may lie beyond the image"
	}
	return ""
}
