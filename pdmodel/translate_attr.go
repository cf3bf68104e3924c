package pdmodel

import "slices"

// attribute is an attribute of the operator, or the value that Paddle takes
// where it is absent.
func attribute[T any](t *translator, name string, absent T) T {
	switch v := t.op.attr(name).(type) {
	case nil:
		return absent
	case T:
		return v
	}
	refuse("attribute %s has an unusual type", name)
	return absent
}

func (t *translator) flag(name string) bool           { return attribute(t, name, false) }
func (t *translator) text(name, absent string) string { return attribute(t, name, absent) }

func (t *translator) float(name string, absent float32) float32 { return attribute(t, name, absent) }

func (t *translator) int(name string, absent int) int {
	return int(attribute(t, name, int32(absent)))
}

// ints is a list of integers, of either width.
func (t *translator) ints(name string, absent ...int) []int {
	switch v := t.op.attr(name).(type) {
	case nil:
		return absent
	case []int32:
		return convert(v, func(n int32) int { return int(n) })
	case []int64:
		return convert(v, func(n int64) int { return int(n) })
	}
	refuse("attribute %s is no list of integers", name)
	return nil
}

// pair is a list of two integers: down and right.
func (t *translator) pair(name string) [2]int {
	v := t.ints(name, 1, 1)
	if len(v) != 2 {
		refuse("%s %v: want 2 numbers", name, v)
	}
	return [2]int(v)
}

// wantNCHW refuses images whose channels come last.
func (t *translator) wantNCHW(name string) {
	if v := t.text(name, "NCHW"); v != "NCHW" && v != "AnyLayout" {
		refuse("%s %s, want NCHW", name, v)
	}
}

// axis counts a negative axis of a tensor from its end.
func axis(a, rank int) int {
	if a < -rank || a >= rank {
		refuse("axis %d of %d", a, rank)
	}
	return (a + rank) % rank
}

// axes are axes of a tensor, counted from its beginning, in order, each once.
func axes(list []int, rank int) []int {
	out := make([]int, len(list))
	for i, a := range list {
		out[i] = axis(a, rank)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// refuseQuantised refuses an operator that computes with integers. Paddle's
// tools leave many hints on operators that do not (use_quantizer,
// mkldnn_data_type, out_threshold): what counts is that values are scaled.
func refuseQuantised(op *Op) {
	for i := range op.Attrs {
		a, scaled := &op.Attrs[i], false
		switch a.Name {
		case "Scale_in", "Scale_out", "Scale_in_eltwise", "Scale_x", "Scale_y", "Scale_data",
			"scale_x", "scale_y", "scale_out", "fused_output_scale", "Input_scale":
			v, ok := a.Value.(float32)
			scaled = ok && v != 1
		case "Scale_weights":
			v, _ := a.Value.([]float32)
			scaled = slices.ContainsFunc(v, func(s float32) bool { return s != 1 })
		case "force_fp32_output", "enable_int8":
			scaled, _ = a.Value.(bool)
		}
		if scaled {
			refuse("quantised: %s %v", a.Name, a.Value)
		}
	}
}
