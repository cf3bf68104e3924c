package pdmodel

import (
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// A span is a range of neighbouring axes, exclusive of to. An empty one stands
// for a new axis of length 1.
type span struct{ from, to int }

// each is n spans of one axis, from axis 0 on.
func each(n int) []span {
	s := make([]span, n)
	for i := range s {
		s[i] = span{i, i + 1}
	}
	return s
}

// regroup is the reshape that joins the axes of each span. Axes of length 1
// may be left out.
func regroup(x *graph.Value, spans []span) graph.Reshape {
	shape, free := make([]int, len(spans)), false
	for i, s := range spans {
		if s.from == i && s.to == i+1 {
			continue // 0 keeps the axis
		}
		shape[i] = 1
		for _, d := range x.Shape[s.from:s.to] {
			if d == graph.Unknown || shape[i] == -1 {
				shape[i] = -1
				continue
			}
			shape[i] *= d
		}
		if shape[i] == -1 && free {
			refuse("two axes of %s of unknown length change places", x)
		}
		free = free || shape[i] == -1
	}
	return graph.Reshape{Shape: shape}
}

func (t *translator) reshape() {
	t.absent("Shape", "ShapeTensor")
	shape := t.ints("shape")
	if len(shape) > maxRank {
		refuse("shape %v", shape)
	}
	t.emit("Out", t.in("X"), stage{op: graph.Reshape{Shape: shape}})
}

// flatten joins the axes before one and those from it on.
func (t *translator) flatten() {
	x, a := t.in("X"), t.int("axis", 1)
	if a < 0 || a > len(x.Shape) {
		refuse("axis %d of %s", a, x)
	}
	t.emit("Out", x, stage{op: regroup(x, []span{{0, a}, {a, len(x.Shape)}})})
}

// flattenRange joins the axes from start_axis to stop_axis, inclusive.
func (t *translator) flattenRange() {
	x := t.in("X")
	rank := len(x.Shape)
	from, to := axis(t.int("start_axis", 1), rank), axis(t.int("stop_axis", 1), rank)
	if from > to {
		refuse("axes %d to %d", from, to)
	}
	spans := append(each(from), span{from, to + 1})
	t.emit("Out", x, stage{op: regroup(x, append(spans, each(rank)[to+1:]...))})
}

// squeeze drops axes of length 1: those told, or all. Others that are told
// stay.
func (t *translator) squeeze() {
	t.absent("AxesTensor", "AxesTensorList")
	x := t.in("X")
	told := axes(t.ints("axes"), len(x.Shape))
	spans := each(len(x.Shape))
	for i := len(spans) - 1; i >= 0; i-- {
		if len(told) > 0 && !slices.Contains(told, i) {
			continue
		}
		switch x.Shape[i] {
		case graph.Unknown:
			refuse("axis %d of %s may or may not have length 1", i, x)
		case 1:
			spans = slices.Delete(spans, i, i+1)
		}
	}
	t.emit("Out", x, stage{op: regroup(x, spans)})
}

// unsqueeze inserts axes of length 1, one after another.
func (t *translator) unsqueeze() {
	t.absent("AxesTensor", "AxesTensorList")
	x, list := t.in("X"), t.ints("axes")
	if len(x.Shape)+len(list) > maxRank {
		refuse("axes %v of %s", list, x)
	}
	spans := each(len(x.Shape))
	for _, a := range list {
		spans = slices.Insert(spans, axis(a, len(spans)+1), span{})
	}
	t.emit("Out", x, stage{op: regroup(x, spans)})
}

func (t *translator) transpose() {
	x, perm := t.in("X"), t.ints("axis")
	if len(perm) != len(x.Shape) || len(axes(perm, len(x.Shape))) != len(perm) {
		refuse("%v is not an order of the axes of %s", perm, x)
	}
	perm = convert(perm, func(a int) int { return axis(a, len(x.Shape)) })
	t.emit("Out", x, stage{op: graph.Transpose{Perm: perm}})
}

func (t *translator) concat() {
	t.absent("AxisTensor")
	in := convert(args(t.op.In, "X"), t.value)
	if len(in) == 0 {
		refuse("nothing to concatenate")
	}
	a := axis(t.int("axis", 0), len(in[0].Shape))
	t.emit("Out", in[0], stage{graph.Concat{Axis: a}, in[1:]})
}

// slice keeps a range of some axes and then drops those of decrease_axis.
func (t *translator) slice() {
	t.absent("StartsTensor", "StartsTensorList", "EndsTensor", "EndsTensorList")
	x := t.in("Input")
	rank := len(x.Shape)
	s := graph.Slice{Starts: t.ints("starts"), Ends: t.ints("ends")}
	s.Axes = convert(t.ints("axes"), func(a int) int { return axis(a, rank) })
	stages := []stage{{op: s}}
	if drop := axes(t.ints("decrease_axis"), rank); len(drop) > 0 {
		kept := each(rank)
		for _, a := range slices.Backward(drop) {
			kept = slices.Delete(kept, a, a+1)
		}
		cut := t.apply(t.result("Out")+".slice", s, x)
		for _, a := range drop {
			if cut.Shape[a] != 1 {
				refuse("decrease_axis %d of %s", a, cut)
			}
		}
		x, stages = cut, append([]stage{{op: regroup(cut, kept)}}, t.scalar(len(kept))...)
	}
	t.emit("Out", x, stages...)
}

func (t *translator) temporalShift() {
	t.wantNCHW("data_format")
	s := graph.TemporalShift{Segments: t.int("seg_num", 0), Ratio: t.float("shift_ratio", 0.25)}
	x := t.in("X")
	if !(s.Ratio >= 0 && s.Ratio <= 0.5) || len(x.Shape) != 4 {
		refuse("shift_ratio %v of %s", s.Ratio, x)
	}
	if reason := shiftDiffers(s, x); reason != "" {
		refuse("%s", reason)
	}
	t.emit("Out", x, stage{op: s})
}

// shiftDiffers says why Paddle and graph.TemporalShift disagree, empty if they
// do not: Paddle rounds the place where the second group ends, not its length.
func shiftDiffers(s graph.TemporalShift, x *graph.Value) string {
	c := float32(x.Shape[1])
	if c > 0 && int(c*2*s.Ratio) == 2*int(c*s.Ratio) {
		return ""
	}
	return fmt.Sprintf("groups of %v of %v channels", s.Ratio, c)
}

func (t *translator) assign() { t.emit("Out", t.in("X")) }

// cast between float types changes nothing: all is computed in float32.
func (t *translator) cast() {
	from, to := VarType(t.int("in_dtype", -1)), VarType(t.int("out_dtype", -1))
	if !from.isFloat() || !to.isFloat() {
		refuse("from %s to %s", from, to)
	}
	t.emit("Out", t.in("X"))
}
