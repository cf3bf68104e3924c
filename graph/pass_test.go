package graph

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/tensor"
)

// A maker writes a graph for a pass to work on and says what must be left.
type maker struct {
	name string
	make func(g *Graph, x *Value) *Value
	want string // the kinds of the nodes that are left, in order
}

var relu = Activation{Func: ReLU}

func conv1x1(g *Graph, name string, x *Value, out int) *Value {
	w := g.Param(name+".w", out, x.Shape[1], 1, 1)
	return g.Must(name, Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1}, x, w)
}

func norm(g *Graph, name string, x *Value) *Value {
	in := []*Value{x}
	for _, s := range []string{".scale", ".offset", ".mean", ".variance"} {
		in = append(in, g.Param(name+s, x.Shape[1]))
	}
	return g.Must(name, BatchNorm{Epsilon: 1e-5}, in...)
}

var makers = []maker{
	{"conv, norm, relu become one", func(g *Graph, x *Value) *Value {
		return g.Must("relu", Activate{relu}, norm(g, "bn", conv1x1(g, "conv", x, 4)))
	}, "conv+bias+relu"},
	{"a residual block becomes its convolutions", func(g *Graph, x *Value) *Value {
		y := norm(g, "bn", conv1x1(g, "conv", x, 3))
		return g.Must("relu", Activate{relu}, g.Must("sum", Binary{Op: Add}, x, y))
	}, "conv+bias+residual+relu"},
	{"of two convolutions the later takes the sum", func(g *Graph, x *Value) *Value {
		return g.Must("sum", Binary{Op: Add}, conv1x1(g, "a", x, 4), conv1x1(g, "b", x, 4))
	}, "conv conv+residual"},
	{"a convolution is not moved before its residual", func(g *Graph, x *Value) *Value {
		a := conv1x1(g, "a", x, 3)
		return g.Must("sum", Binary{Op: Add}, a, g.Must("b", Activate{Activation{Func: Sigmoid}}, x))
	}, "sigmoid conv+residual"},
	{"a value read twice stays", func(g *Graph, x *Value) *Value {
		a := conv1x1(g, "a", x, 3)
		return g.Must("sum", Binary{Op: Mul}, a, g.Must("relu", Activate{relu}, a))
	}, "conv relu mul"},
	{"an output stays", func(g *Graph, x *Value) *Value {
		a := conv1x1(g, "a", x, 3)
		g.Output(a)
		return g.Must("relu", Activate{relu}, a)
	}, "conv relu"},
	{"a convolution's own sum is not fused", func(g *Graph, x *Value) *Value {
		a := conv1x1(g, "a", x, 3)
		return g.Must("double", Binary{Op: Add}, a, a)
	}, "conv add"},
	{"weights read twice are not folded", func(g *Graph, x *Value) *Value {
		w := g.Param("w", 3, 3, 1, 1)
		c := Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1}
		a := norm(g, "bn", g.Must("a", c, x, w))
		return g.Must("mul", Binary{Op: Mul}, a, g.Must("b", c, x, w))
	}, "conv batch_norm conv mul"},
	{"a parameter added to each channel is a bias", func(g *Graph, x *Value) *Value {
		b := g.Param("b", 1, 4, 1, 1)
		return g.Must("relu", Activate{relu}, g.Must("add", Binary{Op: Add}, conv1x1(g, "a", x, 4), b))
	}, "conv+bias+relu"},
	{"a reshaped parameter is a bias too", func(g *Graph, x *Value) *Value {
		b := g.Must("reshaped", Reshape{[]int{1, -1, 1, 1}}, g.Param("b", 4))
		return g.Must("add", Binary{Op: Add}, conv1x1(g, "a", x, 4), b)
	}, "conv+bias"},
	{"a parameter added to each pixel is none", func(g *Graph, x *Value) *Value {
		return g.Must("add", Binary{Op: Add}, conv1x1(g, "a", x, 4), g.Param("b", 5))
	}, "conv add"},
	{"a linear layer takes its bias", func(g *Graph, x *Value) *Value {
		y := g.Must("mean", Mean{Axes: []int{2, 3}}, x)
		y = g.Must("drop", Dropout{P: 0.4}, y)
		y = g.Must("fc", Linear{}, y, g.Param("w", 3, 7))
		y = g.Must("add", Binary{Op: Add}, y, g.Param("b", 7))
		return g.Must("scale", Affine{Scale: 1}, y)
	}, "mean linear+bias"},
	{"dropout of a parameterless graph's output", func(g *Graph, x *Value) *Value {
		return g.Must("drop", Dropout{P: 0.4}, g.Must("half", Affine{Scale: 0.5}, x))
	}, "affine"},
	{"the sum's own activation moves into the convolution", func(g *Graph, x *Value) *Value {
		return g.Must("sum", Binary{Op: Add, Act: relu}, conv1x1(g, "a", x, 3), x)
	}, "conv+residual+relu"},
}

func TestPasses(t *testing.T) {
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			g := New("g")
			x := g.Input("x", Unknown, 3, 4, 5)
			g.Output(m.make(g, x))
			rng := rand.New(rand.NewPCG(1, 2))
			w, in := randomWeights(g, rng), random(rng, 2, 3, 4, 5)
			before := g.Clone()
			want := mustEval(t, g, w, in)
			optimized, _, err := optimize(g, w, func(pass string, g *Graph, w Weights) error {
				return errors.Join(g.Check(), g.CheckWeights(w), sameResult(g, w, in, want))
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := kinds(optimized); got != m.want {
				t.Errorf("left with %q, want %q", got, m.want)
			}
			if err := sameResult(before, w, in, want); err != nil {
				t.Errorf("the original graph or its weights changed: %v", err)
			}
		})
	}
}

func kinds(g *Graph) string {
	var names []string
	for _, n := range g.Nodes {
		s := n.Op.Kind()
		switch op := n.Op.(type) {
		case Conv:
			for _, add := range []struct {
				on   bool
				name string
			}{{op.Bias, "+bias"}, {op.Residual, "+residual"}, {op.Act.Func != Identity, "+" + op.Act.String()}} {
				if add.on {
					s += add.name
				}
			}
		case Linear:
			if op.Bias {
				s += "+bias"
			}
		}
		names = append(names, s)
	}
	return strings.Join(names, " ")
}

func random(rng *rand.Rand, shape ...int) *tensor.Dense {
	d := tensor.New(tensor.Float32, shape...)
	for i, v := range d.Float32s() {
		d.Float32s()[i] = v + rng.Float32()*2 - 1
	}
	return d
}

func randomWeights(g *Graph, rng *rand.Rand) Weights {
	w := Weights{}
	for _, p := range g.Params {
		w[p.Name] = random(rng, p.Shape...)
		if strings.HasSuffix(p.Name, ".variance") {
			for i, v := range w[p.Name].Float32s() {
				w[p.Name].Float32s()[i] = 1 + v/2 // positive
			}
		}
	}
	return w
}

func mustEval(t *testing.T, g *Graph, w Weights, in *tensor.Dense) []*tensor.Dense {
	t.Helper()
	out, err := Eval(g, w, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameResult(g *Graph, w Weights, in *tensor.Dense, want []*tensor.Dense) error {
	out, err := Eval(g, w, in)
	if err != nil {
		return err
	}
	for i := range want {
		a, b := out[i].Float32s(), want[i].Float32s()
		for k := range b {
			if math.Abs(float64(a[k]-b[k])) > 1e-5*(1+math.Abs(float64(b[k]))) {
				return fmt.Errorf("output %d[%d] = %v, want %v", i, k, a[k], b[k])
			}
		}
	}
	return nil
}

func TestCheckFindsBrokenGraphs(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(g *Graph)
		want   string
	}{
		{"order", func(g *Graph) { g.Nodes[0], g.Nodes[1] = g.Nodes[1], g.Nodes[0] }, "before it is computed"},
		{"shape", func(g *Graph) { g.Nodes[0].Out.Shape[1]++ }, "its operands give"},
		{"name", func(g *Graph) { g.Nodes[0].Out.Name = "x" }, `two values are called "x"`},
		{"unread parameter", func(g *Graph) { g.Param("spare", 3) }, "nothing reads parameter spare"},
		{"output", func(g *Graph) { g.Outputs[0] = &Value{Name: "ghost"} }, "ghost is not computed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := New("g")
			x := g.Input("x", 1, 3, 4, 5)
			g.Output(g.Must("relu", Activate{relu}, conv1x1(g, "conv", x, 3)))
			if err := g.Check(); err != nil {
				t.Fatal(err)
			}
			tc.damage(g)
			if err := g.Check(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}
