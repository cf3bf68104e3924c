package pdmodel

import (
	"github.com/pptsn/pptsn/graph"
)

// mean averages over the axes of attribute dim, or all.
func (t *translator) mean() {
	x := t.in("X")
	rank := len(x.Shape)
	m := graph.Mean{Axes: axes(t.ints("dim", 0), rank), Keep: t.flag("keep_dim")}
	if t.op.Type == "mean" {
		m.Keep = false
	}
	if t.op.Type == "mean" || t.flag("reduce_all") || len(m.Axes) == 0 {
		m.Axes = count(rank)
	}
	if typ := VarType(t.int("out_dtype", -1)); typ >= 0 && !typ.isFloat() {
		refuse("out_dtype %s", typ)
	}
	stages := []stage{{op: m}}
	if len(m.Axes) == rank && !m.Keep {
		stages = append(stages, t.scalar(0)...)
	}
	t.emit("Out", x, stages...)
}

// scalar gives a result without axes the one axis of length 1 that it has in
// Paddle before 2.5: the variable tells.
func (t *translator) scalar(rank int) []stage {
	v := t.vars[t.result("Out")]
	if rank > 0 || v == nil || v.Tensor == nil || len(v.Tensor.Dims) != 1 {
		return nil
	}
	return []stage{{op: graph.Reshape{Shape: []int{1}}}}
}

func (t *translator) softmax() {
	x := t.in("X")
	t.emit("Out", x, stage{op: graph.Softmax{Axis: axis(t.int("axis", -1), len(x.Shape))}})
}

// dropout in inference either does nothing or, of the older kind, scales by
// the share that training keeps.
func (t *translator) dropout() {
	if !t.flag("is_test") {
		refuse("drops at random: the program was exported in training mode")
	}
	p := t.float("dropout_prob", 0.5)
	switch kind := t.text("dropout_implementation", "downgrade_in_infer"); kind {
	case "upscale_in_train":
		t.emit("Out", t.in("X"), stage{op: graph.Dropout{P: p}})
	case "downgrade_in_infer":
		t.emit("Out", t.in("X"), stage{op: graph.Affine{Scale: 1 - p}})
	default:
		refuse("dropout_implementation %s", kind)
	}
}

// scale is scale*x + bias, or scale*(x + bias).
func (t *translator) scale() {
	t.absent("ScaleTensor", "BiasTensor")
	a := graph.Affine{Scale: t.float("scale", 1), Shift: t.float("bias", 0)}
	if !attribute(t, "bias_after_scale", true) {
		a.Shift *= a.Scale
	}
	t.emit("Out", t.in("X"), stage{op: a})
}
