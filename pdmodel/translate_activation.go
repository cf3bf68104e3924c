package pdmodel

import (
	"github.com/pptsn/pptsn/graph"
)

// activation translates the operators that are an activation function.
func (t *translator) activation() {
	var a graph.Activation
	switch t.op.Type {
	case "relu":
		a.Func = graph.ReLU
	case "relu6":
		a.Func = graph.ReLU6
		if v := t.float("threshold", 6); v != 6 {
			refuse("threshold %v, want 6", v)
		}
	case "hard_swish":
		a.Func = graph.HardSwish
		if th, s, o := t.float("threshold", 6), t.float("scale", 6), t.float("offset", 3); th != 6 || s != 6 || o != 3 {
			refuse("threshold %v, scale %v, offset %v, want 6, 6, 3", th, s, o)
		}
	case "hard_sigmoid":
		a = graph.Activation{Func: graph.HardSigmoid, Slope: t.float("slope", 0.2), Offset: t.float("offset", 0.5)}
	case "sigmoid":
		a.Func = graph.Sigmoid
	}
	t.emit("Out", t.in("X"), stage{op: graph.Activate{Act: a}})
}

// swish is x * sigmoid(beta x).
func (t *translator) swish() {
	x := t.in("X")
	var stages []stage
	if beta := t.float("beta", 1); beta != 1 {
		stages = append(stages, stage{op: graph.Affine{Scale: beta}})
	}
	stages = append(stages,
		stage{op: graph.Activate{Act: graph.Activation{Func: graph.Sigmoid}}},
		stage{graph.Binary{Op: graph.Mul}, []*graph.Value{x}})
	t.emit("Out", x, stages...)
}

// fused is an activation that a fusion pass has put into another operator. Its
// parameters were put into fuse_alpha and fuse_beta, relu6's threshold into one
// or the other.
func (t *translator) fused(name string) graph.Activation {
	alpha, beta := t.float("fuse_alpha", 0), t.float("fuse_beta", 0)
	switch name {
	case "", "identity":
		return graph.Activation{}
	case "relu":
		return graph.Activation{Func: graph.ReLU}
	case "relu6":
		if alpha != 6 && beta != 6 && (alpha != 0 || beta != 0) {
			refuse("fused relu6 with threshold %v or %v", alpha, beta)
		}
		return graph.Activation{Func: graph.ReLU6}
	case "sigmoid":
		return graph.Activation{Func: graph.Sigmoid}
	case "hard_swish":
		return graph.Activation{Func: graph.HardSwish}
	case "hard_sigmoid":
		return graph.Activation{Func: graph.HardSigmoid, Slope: alpha, Offset: beta}
	}
	refuse("fused activation %s", name)
	return graph.Activation{}
}
