package pdmodel

import (
	"github.com/pptsn/pptsn/graph"
)

// matmul translates the product of a value and a parameter with two axes.
func (t *translator) matmul() {
	transX, transY := t.flag("trans_x"), t.flag("trans_y")
	if t.op.Type == "matmul" {
		transX, transY = t.flag("transpose_X"), t.flag("transpose_Y")
	}
	for _, list := range []string{"fused_reshape_X", "fused_reshape_Y", "fused_reshape_Out",
		"fused_transpose_X", "fused_transpose_Y", "fused_transpose_Out"} {
		if v := t.ints(list); len(v) > 0 {
			refuse("%s %v", list, v)
		}
	}
	x, w := t.in("X"), t.matrix("Y")
	var stages []stage
	if rank := len(x.Shape); transX && rank > 1 { // a vector is the same either way
		perm := count(rank)
		perm[rank-2], perm[rank-1] = rank-1, rank-2
		stages = append(stages, stage{op: graph.Transpose{Perm: perm}})
	}
	stages = append(stages, stage{graph.Linear{Transposed: transY}, []*graph.Value{w}})
	if alpha := t.float("alpha", 1); alpha != 1 {
		stages = append(stages, stage{op: graph.Affine{Scale: alpha}})
	}
	t.emit("Out", x, stages...)
}

// matrix is a parameter with two axes.
func (t *translator) matrix(slot string) *graph.Value {
	w := t.param(slot)
	if len(w.Shape) != 2 {
		refuse("%s is %s, want 2 axes", slot, w)
	}
	return w
}

// mul translates the product that sees its operands as matrices.
func (t *translator) mul() {
	if n := t.int("y_num_col_dims", 1); n != 1 {
		refuse("y_num_col_dims %d, want 1", n)
	}
	x, w := t.in("X"), t.matrix("Y")
	stages := t.rows(x, t.int("x_num_col_dims", 1))
	t.emit("Out", x, append(stages, stage{graph.Linear{}, []*graph.Value{w}})...)
}

// fullyConnected translates mul with a bias and an activation.
func (t *translator) fullyConnected() {
	if t.flag("padding_weights") {
		refuse("padding_weights")
	}
	x, w := t.in("Input"), t.matrix("W")
	stages := t.rows(x, t.int("in_num_col_dims", 1))
	stages = append(stages, stage{graph.Linear{}, []*graph.Value{w}})
	if b := t.optional("Bias"); b != nil { // [O] or [1, O]
		stages = append(stages, stage{graph.Binary{Op: graph.Add}, []*graph.Value{b}})
	}
	name := t.text("activation_type", "")
	if name == "" {
		name = t.text("fuse_activation", "")
	}
	if act := t.fused(name); act.Func != graph.Identity {
		stages = append(stages, stage{op: graph.Activate{Act: act}})
	}
	t.emit("Out", x, stages...)
}

// rows joins the axes of x from n on, unless they are one already.
func (t *translator) rows(x *graph.Value, n int) []stage {
	rank := len(x.Shape)
	if n < 1 || n >= rank {
		refuse("%d leading axes of %s", n, x)
	}
	if n == rank-1 {
		return nil
	}
	groups := append(each(n), span{n, rank})
	return []stage{{op: regroup(x, groups)}}
}

// elementwise translates arithmetic on two operands. Paddle aligns the smaller
// one with axes of the larger from attribute axis on, -1 meaning the last ones.
func (t *translator) elementwise() {
	b := graph.Binary{Op: t.arithmetic(), Act: t.fused(t.text("fuse_activation", ""))}
	if v := t.ints("fused_unsqueeze2_axes"); len(v) > 0 {
		refuse("fused_unsqueeze2_axes %v", v)
	}
	x, y := t.in("X"), t.in("Y")
	at := t.int("axis", -1)
	if len(x.Shape) >= len(y.Shape) {
		t.emit("Out", x, stage{b, []*graph.Value{t.align(y, len(x.Shape), at)}})
		return
	}
	t.emit("Out", t.align(x, len(y.Shape), at), stage{b, []*graph.Value{y}})
}

func (t *translator) arithmetic() graph.BinaryKind {
	switch t.op.Type {
	case "elementwise_sub", "fused_elementwise_sub":
		return graph.Sub
	case "elementwise_mul", "fused_elementwise_mul":
		return graph.Mul
	case "elementwise_div", "fused_elementwise_div":
		return graph.Div
	}
	return graph.Add
}

// align gives v as many axes of length 1 at its end as it takes for its first
// axis to meet axis at of a value with rank axes.
func (t *translator) align(v *graph.Value, rank, at int) *graph.Value {
	own := len(v.Shape)
	if at == -1 {
		return v
	}
	for own > 0 && at+own > rank && v.Shape[own-1] == 1 {
		own-- // Paddle drops them
	}
	if at < 0 || at+own > rank {
		refuse("axis %d: %s does not fit into %d axes", at, v, rank)
	}
	groups := each(own)
	for len(groups) < rank-at {
		groups = append(groups, span{own, own})
	}
	if len(groups) == len(v.Shape) {
		return v
	}
	return t.apply(t.result("Out")+".aligned", regroup(v, groups), v)
}

// count is 0, 1, ... n-1.
func count(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
