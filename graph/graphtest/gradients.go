package graphtest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// A Trainee computes one network of one input and one output as training does,
// in float64, always with the same random numbers. weights has the output's
// shape and stands for a loss: the sum of the output's elements times its own.
type Trainee interface {
	// Loss is the loss after m.
	Loss(in, weights *tensor.Dense, m Move) (float64, error)
	// Gradients are those of the unmoved loss with respect to the input and the
	// parameters, by name; an absent one is zero.
	Gradients(in, weights *tensor.Dense) (map[string]*tensor.Dense, error)
	Close() error
}

// A Move adds Step times an array to the input and parameters, by name, before
// the network is computed. The zero value moves nothing.
type Move struct {
	Along map[string]*tensor.Dense
	Step  float64
}

// steps are the lengths of moves, which float64 arithmetic lets be so short:
// the curvature's share of a difference is then some 1e-12. Where a difference and the gradient disagree the next step is
// tried: a kink of ReLU or another window's maximum that lies within one step
// seldom lies within a much shorter one, while a wrong gradient stays wrong.
var steps = []float64{1. / (1 << 20), 1. / (1 << 23), 1. / (1 << 26)}

// Slopes may differ by gradientTolerance times the lengths of gradient and
// direction (gradients are compared as float32), and by what rounding of the
// loss, relative to the length of its weights, makes of a difference.
const (
	gradientTolerance = 2e-6
	rounding          = 1. / (1 << 48)
)

// Gradients compares the gradients of each operation and of small networks
// with central differences of the loss. Each input and parameter is moved as a
// whole along a random direction, so that one difference tests all elements;
// in networks all of them are moved at once.
// Losses of networks without batch norm and dropout, which training computes
// in other ways, must be graph.Eval's.
func Gradients(t *testing.T, start func(g *graph.Graph, w graph.Weights) (Trainee, error)) {
	for _, group := range groups() {
		t.Run(group.name, func(t *testing.T) {
			for _, tc := range group.cases {
				t.Run(tc.name, func(t *testing.T) { tc.gradients(t, start) })
			}
		})
	}
}

func (tc testCase) gradients(t *testing.T, start func(g *graph.Graph, w graph.Weights) (Trainee, error)) {
	g, r := tc.graph(), newRandom(tc.name)
	w, in := r.weights(g), r.tensor(tc.input...)
	bound, err := g.Bind(in.Shape)
	if err != nil {
		t.Fatal(err)
	}
	weights := r.between(-1, 1, bound.Outputs[0].Shape...)
	n, err := start(g, w)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if plain(g) {
		agreeOnLoss(t, n, g, w, in, weights)
	}
	grads, err := n.Gradients(in, weights)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range moves(bound, r) {
		if err := slopes(n, in, weights, grads, m); err != nil {
			t.Errorf("gradient of %s: %v", strings.Join(slices.Sorted(maps.Keys(m.Along)), ", "), err)
		}
	}
}

// moves are those of each value alone, or of all at once if they are many.
func moves(g *graph.Graph, r random) []Move {
	var each []Move
	all := map[string]*tensor.Dense{}
	for _, v := range slices.Concat(g.Inputs, g.Params) {
		all[v.Name] = r.between(-1, 1, v.Shape...)
		each = append(each, Move{Along: map[string]*tensor.Dense{v.Name: all[v.Name]}})
	}
	if len(each) > 8 {
		return []Move{{Along: all}}
	}
	return each
}

// plain says that training computes what graph.Eval does.
func plain(g *graph.Graph) bool {
	return !slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool {
		switch n.Op.(type) {
		case graph.BatchNorm, graph.Dropout:
			return true
		}
		return false
	})
}

func agreeOnLoss(t *testing.T, n Trainee, g *graph.Graph, w graph.Weights, in, weights *tensor.Dense) {
	t.Helper()
	got, err := n.Loss(in, weights, Move{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := graph.Eval(g, w, in)
	if err != nil {
		t.Fatal(err)
	}
	want := dot(out[0], weights)
	if limit := 1e-5 * length(out[0]) * length(weights); math.Abs(got-want) > limit || math.IsNaN(got) {
		t.Errorf("loss is %v, want %v within %.2g", got, want, limit)
	}
}

// slopes compares the gradients along a move with central differences.
func slopes(n Trainee, in, weights *tensor.Dense, grads map[string]*tensor.Dense, m Move) error {
	want, size := 0.0, 0.0
	for name, along := range m.Along {
		grad := grads[name]
		if grad == nil {
			continue
		}
		if !slices.Equal(grad.Shape, along.Shape) {
			return fmt.Errorf("%s: is %s, want the shape %s", name, grad, tensor.ShapeString(along.Shape))
		}
		want += dot(grad, along)
		size += length(grad) * length(along)
	}
	var err error
	for _, step := range steps {
		slope, e := slope(n, in, weights, m, step)
		if e != nil {
			return e
		}
		limit := gradientTolerance*size + rounding*length(weights)/step
		if math.Abs(slope-want) <= limit {
			return nil
		}
		err = fmt.Errorf("the loss changes by %v along a direction, the gradient says %v; may differ by %.2g", slope, want, limit)
	}
	return err
}

func slope(n Trainee, in, weights *tensor.Dense, m Move, step float64) (float64, error) {
	m.Step = step
	after, err := n.Loss(in, weights, m)
	if err != nil {
		return 0, err
	}
	m.Step = -step
	before, err := n.Loss(in, weights, m)
	return (after - before) / (2 * step), err
}

func dot(a, b *tensor.Dense) float64 {
	sum, v := 0.0, b.Float32s()
	for i, x := range a.Float32s() {
		sum += float64(x) * float64(v[i])
	}
	return sum
}

func length(d *tensor.Dense) float64 { return math.Sqrt(dot(d, d)) }
