package onnx

import (
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// temporalShift writes the shift of x [N*S,C,H,W] over S segments with
// operators on four axes, which works for any H and W: the channels that move
// are cut out, the segments laid side by side as [N, S*F, H, W], where one
// segment further is F channels further, and zeros pushed in at one end.
func (b *builder) temporalShift(name, x string, t graph.TemporalShift, channels int) string {
	fold := int(float32(channels) * t.Ratio) // F, as graph.Eval rounds it
	if fold == 0 {
		return x
	}
	move := func(part string, from, padBefore, start int) string {
		wide := t.Segments * fold
		pads := []int{0, padBefore, 0, 0, 0, fold - padBefore, 0, 0}
		part = b.fresh(name, part)
		return b.chain(part, x,
			b.channels(part, from, from+fold),
			step{op: "Reshape", in: []string{b.ints(part, "wide", -1, wide, 0, 0)}},
			step{op: "Pad", in: []string{b.ints(part, "pads", pads...)}},
			b.channels(part, start, start+wide),
			step{op: "Reshape", in: []string{b.ints(part, "narrow", -1, fold, 0, 0)}},
		)
	}
	parts := []string{move("from_before", 0, fold, 0), move("from_after", fold, 0, fold)}
	if 2*fold < channels {
		part := b.fresh(name, "stay")
		parts = append(parts, b.chain(part, x, b.channels(part, 2*fold, channels)))
	}
	return b.chain(name, parts[0], step{"Concat", slices.Clone(parts[1:]), []attribute{intAttr("axis", 1)}})
}

// channels keeps those from a to b, exclusive.
func (b *builder) channels(name string, from, to int) step {
	return b.slice(name, graph.Slice{Axes: []int{1}, Starts: []int{from}, Ends: []int{to}})
}
