package graph

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// blocks is a network of two blocks with residuals behind a first layer.
func blocks() *Graph {
	g := New("net")
	x := conv1x1(g, "first", g.Input("x", 2, 3, 4, 4), 4)
	for _, name := range []string{"a", "b"} {
		x = g.Must(name+".sum", Binary{Op: Add}, conv1x1(g, name, x, 4), x)
	}
	g.Output(g.Must("last", Activate{Act: Activation{Func: ReLU}}, x))
	return g
}

func TestCut(t *testing.T) {
	g := blocks()
	rng := rand.New(rand.NewPCG(1, 2))
	w, in := randomWeights(g, rng), random(rng, 2, 3, 4, 4)
	want := mustEval(t, g, w, in)[0]
	var names []string
	for _, v := range g.Cuts() {
		names = append(names, v.Name)
		before, after := g.Cut(v)
		for _, part := range []*Graph{before, after} {
			if err := part.Check(); err != nil {
				t.Fatal(err)
			}
		}
		got := mustEval(t, after, w, mustEval(t, before, w, in)[0])[0]
		if !slices.Equal(got.Data, want.Data) {
			t.Errorf("cut at %s the result is another", v.Name)
		}
	}
	if all := []string{"first", "a.sum", "b.sum"}; !slices.Equal(names, all) {
		t.Errorf("cuts are %q, want %q", names, all)
	}
}

// What reads the input late, or is returned early, leaves no cut between.
func TestCutsOfOpenValues(t *testing.T) {
	g := New("net")
	x := g.Input("x", 2, 4, 4, 4)
	first := conv1x1(g, "first", x, 4)
	second := conv1x1(g, "second", first, 4)
	sum := g.Must("sum", Binary{Op: Add}, second, x)
	side := conv1x1(g, "side", sum, 4)
	g.Output(side)
	g.Output(conv1x1(g, "last", conv1x1(g, "behind", side, 4), 4))
	var names []string
	for _, v := range g.Cuts() {
		names = append(names, v.Name)
	}
	if !slices.Equal(names, []string{"sum"}) {
		t.Errorf("cuts are %q, want sum alone", names)
	}
}
