package graphtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// testBatches runs one executor on many batch sizes, some of them twice.
func (s suite) testBatches(t *testing.T) {
	g := videoCase(1).graph()
	r := newRandom(g.Name)
	w := r.weights(g)
	e := s.start(t, g, w)
	for _, videos := range []int{1, 2, 5, 3, 1, 4, 7, 6, 8, 9, 10, 2, 5} {
		s.agree(t, e, g, w, r.tensor(videos, 3, 3, 16, 16))
	}
}

// testSides leaves the size of the pictures open.
func (s suite) testSides(t *testing.T) {
	b := &builder{Graph: graph.New("any sides")}
	x := b.Input("x", graph.Unknown, 3, graph.Unknown, graph.Unknown)
	x = b.relu(b.norm(b.conv(x, 16, 3, 3, graph.Conv{Pad: graph.SamePad(1)})))
	b.Output(b.linear(b.add(graph.Mean{Axes: []int{2, 3}}, x), 4, graph.Linear{}))
	r := newRandom(b.Graph.Name)
	w := r.weights(b.Graph)
	e := s.start(t, b.Graph, w)
	for _, shape := range [][]int{{1, 3, 8, 8}, {2, 3, 5, 9}, {1, 3, 12, 7}, {1, 3, 8, 8}} {
		s.agree(t, e, b.Graph, w, r.tensor(shape...))
	}
}

// testSeveral has inputs with and without the pictures' rows, and outputs that
// are inputs, intermediate results and computed from parameters.
func (s suite) testSeveral(t *testing.T) {
	b := &builder{Graph: graph.New("several")}
	x := b.Input("x", graph.Unknown, 8, 6, 6)
	y, z := b.Input("y", 1, 4), b.Input("z", graph.Unknown, 4)
	features := b.relu(b.conv(x, 16, 3, 3, graph.Conv{}))
	scores := b.linear(b.add(graph.Mean{Axes: []int{2, 3}}, features), 4, graph.Linear{})
	joined := b.sum(b.sum(scores, z), y)
	p := b.param(4)
	b.Output(joined, features, y, x, b.sum(p, y), joined, b.relu(z))
	r := newRandom(b.Graph.Name)
	w := r.weights(b.Graph)
	e := s.start(t, b.Graph, w)
	for _, n := range []int{3, 1, 9} {
		s.agree(t, e, b.Graph, w, r.tensor(n, 8, 6, 6), r.tensor(1, 4), r.tensor(n, 4))
	}
}

// testGoroutines calls one executor from many goroutines, with several shapes.
func (s suite) testGoroutines(t *testing.T) {
	g := videoCase(1).graph()
	r := newRandom(g.Name)
	w := r.weights(g)
	e := s.start(t, g, w)
	var wg sync.WaitGroup
	for i := range 8 {
		in := r.tensor(1+i%3, 3, 3, 16, 16)
		wg.Go(func() {
			for range 4 {
				s.agree(t, e, g, w, in)
			}
		})
	}
	wg.Wait()
}

func (s suite) testWrongInputs(t *testing.T) {
	g := videoCase(1).graph()
	r := newRandom(g.Name)
	w := r.weights(g)
	e := s.start(t, g, w)
	good := r.tensor(1, 3, 3, 16, 16)
	for _, tc := range []struct {
		name   string
		inputs []*tensor.Dense
	}{
		{"none", nil},
		{"too many", []*tensor.Dense{good, good}},
		{"an axis missing", []*tensor.Dense{r.tensor(3, 3, 16, 16)}},
		{"other pictures", []*tensor.Dense{r.tensor(1, 3, 3, 16, 17)}},
		{"other number of views", []*tensor.Dense{r.tensor(1, 4, 3, 16, 16)}},
		{"no videos", []*tensor.Dense{r.tensor(0, 3, 3, 16, 16)}},
		{"no floats", []*tensor.Dense{tensor.New(tensor.Int32, 1, 3, 3, 16, 16)}},
	} {
		if out, err := e.Run(t.Context(), tc.inputs...); err == nil {
			t.Errorf("%s: no error, but %v", tc.name, out)
		}
	}
	s.agree(t, e, g, w, good) // still works
	delete(w, g.Params[0].Name)
	if e, err := s.compile(g, w); err == nil {
		e.Close()
		t.Error("compiled without one of the weights")
	}
}

func (s suite) testClosed(t *testing.T) {
	g := videoCase(1).graph()
	r := newRandom(g.Name)
	e := s.start(t, g, r.weights(g))
	in := r.tensor(1, 3, 3, 16, 16)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { // runs until it is closed
			for {
				if _, err := e.Run(t.Context(), in); err != nil {
					return
				}
			}
		})
	}
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if _, err := e.Run(t.Context(), in); err == nil {
		t.Error("runs after Close")
	}
}

func (s suite) testCancelled(t *testing.T) {
	g := videoCase(1).graph()
	r := newRandom(g.Name)
	w := r.weights(g)
	e := s.start(t, g, w)
	in := r.tensor(1, 3, 3, 16, 16)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Run(ctx, in); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want one of cancellation", err)
	}
	s.agree(t, e, g, w, in)
}

// testUnchanged holds that inputs, weights and earlier results are not touched.
func (s suite) testUnchanged(t *testing.T) {
	g := videoCase(1).graph()
	r := newRandom(g.Name)
	w := r.weights(g)
	first, second := r.tensor(2, 3, 3, 16, 16), r.tensor(2, 3, 3, 16, 16)
	before := map[*tensor.Dense][]byte{first: bytes.Clone(first.Data)}
	for _, t := range w {
		before[t] = bytes.Clone(t.Data)
	}
	e := s.start(t, g, w)
	out, err := e.Run(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	before[out[0]] = bytes.Clone(out[0].Data)
	s.agree(t, e, g, w, second)
	for d, data := range before {
		if !bytes.Equal(d.Data, data) {
			t.Errorf("%s was changed", d)
		}
	}
}

// agree compares one run with the evaluator.
func (s suite) agree(t *testing.T, e Executor, g *graph.Graph, w graph.Weights, in ...*tensor.Dense) {
	t.Helper()
	got, err := e.Run(t.Context(), in...)
	if err != nil {
		t.Error(err)
		return
	}
	want, err := graph.Eval(g, w, in...)
	if err == nil {
		err = s.compare(g, got, want)
	}
	if err != nil {
		t.Error(fmt.Errorf("inputs %v: %w", in, err))
	}
}
