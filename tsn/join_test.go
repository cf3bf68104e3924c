package tsn_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

func build(t *testing.T, s tsn.Spec, views, side int) *tsn.Network {
	t.Helper()
	n, err := tsn.Build(s, views, side, side)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var (
	small = tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 5}
	plain = tsn.Spec{Family: tsn.TSN, Layers: 18, Classes: 5}
)

// A joined network gives what its parts give each alone.
func TestJoinComputesEach(t *testing.T) {
	first, second := build(t, small, 2, 32), build(t, plain, 2, 32)
	part := tsn.Part{Name: "Teacher", Network: second}
	j, err := tsn.Join(first, []tsn.Part{part})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Graph.Check(); err != nil {
		t.Fatal(err)
	}
	x := tensor.New(tensor.Float32, 1, 2, 3, 32, 32)
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i%37)/18 - 1
	}
	w, one, two := graph.Weights{}, first.Init(0.1, 1), second.Init(0.1, 2)
	for name, d := range one {
		w[name] = d
	}
	for name, d := range two {
		w[part.Param(name)] = d
	}
	both := eval(t, j, w, x)
	for i, want := range []*tensor.Dense{eval(t, first, one, x)[0], eval(t, second, two, x)[0]} {
		if err := graphtest.Compare(both[i], want, 0); err != nil {
			t.Errorf("output %d: %v", i, err)
		}
	}
}

func eval(t *testing.T, n *tsn.Network, w graph.Weights, x *tensor.Dense) []*tensor.Dense {
	t.Helper()
	out, err := graph.Eval(n.Graph, w, x)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The first network keeps its names, so its weights are a checkpoint of its own.
func TestJoinNames(t *testing.T) {
	first, second := build(t, small, 2, 32), build(t, plain, 2, 32)
	j, err := tsn.Join(first, []tsn.Part{{Name: "Teacher", Network: second}, {Name: "Tutor", Network: second}})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, p := range j.Params {
		switch {
		case i < len(first.Params):
			if want := first.Params[i]; p.Name != want.Name || p.Paddle != want.Paddle {
				t.Errorf("parameter %d is %s (%s), want %s (%s)", i, p.Name, p.Paddle, want.Name, want.Paddle)
			}
		case i < len(first.Params)+len(second.Params):
			if want := second.Params[i-len(first.Params)]; p.Name != "Teacher."+want.Name || p.Paddle != "Teacher."+want.Paddle || !slices.Equal(p.Shape, want.Shape) {
				t.Errorf("parameter %d is %s (%s), want Teacher. before %s (%s)", i, p.Name, p.Paddle, want.Name, want.Paddle)
			}
		}
		if seen[p.Name] || seen[p.Paddle] {
			t.Errorf("two parameters are called %s or %s", p.Name, p.Paddle)
		}
		seen[p.Name], seen[p.Paddle] = true, true
	}
	if len(j.Params) != len(first.Params)+2*len(second.Params) || len(j.Params) != len(j.Graph.Params) {
		t.Errorf("%d parameters, %d in the graph", len(j.Params), len(j.Graph.Params))
	}
}

func TestJoinRefuses(t *testing.T) {
	first := build(t, small, 2, 32)
	for _, tc := range []struct {
		name  string
		parts []tsn.Part
		want  string
	}{
		{"other views", []tsn.Part{{Name: "T", Network: build(t, plain, 3, 32)}}, "the input of T is"},
		{"other pixels", []tsn.Part{{Name: "T", Network: build(t, plain, 2, 64)}}, "the input of T is"},
		{"other classes", []tsn.Part{{Name: "T", Network: build(t, tsn.Spec{Family: tsn.TSN, Layers: 18, Classes: 6}, 2, 32)}}, "the scores of T are"},
		{"a name of the first", []tsn.Part{{Name: "backbone", Network: first}}, "another name"},
		{"the same name twice", []tsn.Part{{Name: "T", Network: first}, {Name: "T", Network: first}}, "another name"},
	} {
		if _, err := tsn.Join(first, tc.parts); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error is %v, want one with %q", tc.name, err, tc.want)
		}
	}
	if j, err := tsn.Join(first, nil); j != first || err != nil {
		t.Errorf("of one: %v, %v", j, err)
	}
}
