package onnx

import (
	"errors"

	"github.com/pptsn/pptsn/graph"
)

// pool writes a pooling so that every reader computes ours.
//
// What ONNX's ceil_mode means has changed with the operator set and differs
// between readers: whether a last window may begin in the padding, and whether
// a window that hangs over the edge divides by the pixels it has or by all of
// its places (https://github.com/onnx/onnx/issues/5276 and
// https://github.com/microsoft/onnxruntime/pull/29629). So the padding is
// widened until rounding down gives the same windows, and a mean that counts
// declared padding reads zeros from a Pad operator; what is padded here beyond
// that is never counted.
func (b *builder) pool(name string, p graph.Pool, in, out []int) ([]step, error) {
	op, count, pads := "AveragePool", 0, p.Pad
	if p.Max {
		op = "MaxPool"
	}
	var steps []step
	if p.Ceil && p.CountPadding && !p.Max && p.Pad != (graph.Pad{}) {
		steps = append(steps, b.zeroPad(name, p.Pad))
		in, pads = padded(in, p.Pad), graph.Pad{}
	} else if p.CountPadding && !p.Ceil && !p.Max {
		count = 1
	}
	ceil := 0
	if p.Ceil {
		var err error
		if pads, ceil, err = ceilPads(p, in, out, pads); err != nil {
			return nil, err
		}
	}
	attrs := []attribute{
		intsAttr("kernel_shape", p.Kernel[:]...),
		intsAttr("strides", p.Stride[:]...),
		intsAttr("pads", pads.Top, pads.Left, pads.Bottom, pads.Right),
	}
	if count != 0 {
		attrs = append(attrs, intAttr("count_include_pad", count))
	}
	if ceil != 0 {
		attrs = append(attrs, intAttr("ceil_mode", ceil))
	}
	return append(steps, step{op: op, attrs: attrs}), nil
}

// zeroPad adds zeros around the last two axes.
func (b *builder) zeroPad(name string, p graph.Pad) step {
	return step{op: "Pad", in: []string{b.ints(name, "pads", 0, 0, p.Top, p.Left, 0, 0, p.Bottom, p.Right)}}
}

func padded(shape []int, p graph.Pad) []int {
	h, w := shape[2], shape[3]
	if h != graph.Unknown {
		h += p.Top + p.Bottom
	}
	if w != graph.Unknown {
		w += p.Left + p.Right
	}
	return []int{shape[0], shape[1], h, w}
}

// ceilPads returns the padding with which windows rounded down are those of p
// rounded up. Where the picture's size is unknown it leaves the rounding to
// ceil_mode, which is clear only if no window can begin in the padding.
func ceilPads(p graph.Pool, in, out []int, pads graph.Pad) (_ graph.Pad, ceil int, _ error) {
	if in[2] != graph.Unknown && in[3] != graph.Unknown {
		pads.Bottom = max(pads.Bottom, (out[2]-1)*p.Stride[0]+p.Kernel[0]-in[2]-pads.Top)
		pads.Right = max(pads.Right, (out[3]-1)*p.Stride[1]+p.Kernel[1]-in[3]-pads.Left)
		return pads, 0, nil
	}
	if p.Pad.Bottom+p.Stride[0] > p.Kernel[0] || p.Pad.Right+p.Stride[1] > p.Kernel[1] {
		return pads, 0, errors.New("pooling with ceil mode and this padding needs pictures of known height and width")
	}
	return pads, 1, nil
}
