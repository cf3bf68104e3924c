package onednn_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

// views is a network that pools each view [3, 8, 8] and averages a video's
// five views.
func views() *graph.Graph {
	g := graph.New("views")
	x := g.Input("x", graph.Unknown, 5, 3, 8, 8)
	y := g.Must("rows", graph.Reshape{Shape: []int{-1, 3, 8, 8}}, x)
	y = g.Must("conv", graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1}, y, g.Param("w", 4, 3, 3, 3))
	y = g.Must("pool", graph.Mean{Axes: []int{2, 3}}, y)
	y = g.Must("segments", graph.Reshape{Shape: []int{-1, 5, 4}}, y)
	g.Output(g.Must("consensus", graph.Mean{Axes: []int{1}}, y))
	return g
}

// whole reads its input as views and all at once.
func whole() *graph.Graph {
	g := graph.New("whole")
	x := g.Input("x", graph.Unknown, 3, 8, 8)
	conv := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(1), Groups: 1}
	y := g.Must("conv", conv, x, g.Param("w", 3, 3, 3, 3))
	y = g.Must("over videos", graph.Softmax{Axis: 0}, y)
	g.Output(g.Must("sum", graph.Binary{Op: graph.Add}, x, y))
	return g
}

// Views are asked for in order, each once, and the result is that of Run.
func TestRunRows(t *testing.T) {
	for _, tc := range []struct {
		g     *graph.Graph
		shape []int
		chunk int
		calls string // the ranges asked for
	}{
		{views(), []int{2, 5, 3, 8, 8}, 4, "[0 4] [4 7] [7 10]"},
		{views(), []int{1, 5, 3, 8, 8}, 2, "[0 2] [2 4] [4 5]"},
		{views(), []int{1, 5, 3, 8, 8}, 1, "[0 1] [1 2] [2 3] [3 4] [4 5]"},
		{views(), []int{3, 5, 3, 8, 8}, 100, "[0 15]"},
		{whole(), []int{3, 3, 8, 8}, 2, "[0 3]"},
		{whole(), []int{1, 3, 8, 8}, 2, "[0 1]"},
	} {
		t.Run(fmt.Sprint(tc.g.Name, tc.shape, "by", tc.chunk), func(t *testing.T) {
			w, in := randomWeights(tc.g, 1), ramp(tc.shape...)
			e := compile(t, tc.g, w, onednn.Options{Chunk: tc.chunk})
			var calls []string
			got, err := e.RunRows(t.Context(), tc.shape, func(dst []float32, from, to int) error {
				calls = append(calls, fmt.Sprint([]int{from, to}))
				if n := copy(dst, in.Float32s()[from*192:to*192]); n != len(dst) {
					return fmt.Errorf("room for %d numbers, want %d", len(dst), n)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if s := fmt.Sprint(calls); s != "["+tc.calls+"]" {
				t.Errorf("asked for %s, want %s", s, tc.calls)
			}
			want, err := graph.Eval(tc.g, w, in)
			if err != nil {
				t.Fatal(err)
			}
			if err := graphtest.Compare(got[0], want[0], tolerance); err != nil {
				t.Error(err)
			}
		})
	}
}

// The first chunk that cannot be filled ends the run; the engine goes on.
func TestRunRowsFillError(t *testing.T) {
	g := views()
	e := compile(t, g, randomWeights(g, 1), onednn.Options{Chunk: 2})
	broken := errors.New("no such frame")
	for bad := range 10 {
		_, err := e.RunRows(t.Context(), []int{2, 5, 3, 8, 8}, func(dst []float32, from, to int) error {
			if from > bad {
				t.Errorf("view %d asked for after %d failed", from, bad)
			}
			if from <= bad && bad < to {
				return broken
			}
			return nil
		})
		if !errors.Is(err, broken) {
			t.Errorf("error is %v, want %v", err, broken)
		}
	}
	if _, err := e.Run(t.Context(), ramp(1, 5, 3, 8, 8)); err != nil {
		t.Error(err)
	}
}

// A run whose context ends stops soon: at most the chunk that is being filled
// is still finished.
func TestRunRowsCancelled(t *testing.T) {
	g := views()
	e := compile(t, g, randomWeights(g, 1), onednn.Options{Chunk: 1})
	ctx, cancel := context.WithCancel(t.Context())
	var asked int
	_, err := e.RunRows(ctx, []int{20, 5, 3, 8, 8}, func(dst []float32, from, to int) error {
		asked = to
		if from == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want one of cancellation", err)
	}
	if asked > 7 {
		t.Errorf("%d views asked for, cancelled after 4", asked)
	}
}

// A wait for one's turn can be given up.
func TestCancelledWhileWaiting(t *testing.T) {
	g := views()
	e := compile(t, g, randomWeights(g, 1), onednn.Options{})
	running, end := make(chan bool), make(chan bool)
	var once sync.Once
	var wg sync.WaitGroup
	wg.Go(func() {
		e.RunRows(context.Background(), []int{1, 5, 3, 8, 8}, func([]float32, int, int) error {
			once.Do(func() { close(running) })
			<-end
			return nil
		})
	})
	<-running
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		if _, err := e.Run(ctx, ramp(1, 5, 3, 8, 8)); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v, want one of cancellation", err)
		}
		close(end)
	})
	cancel()
	wg.Wait()
}

func compile(t testing.TB, g *graph.Graph, w graph.Weights, o onednn.Options) *onednn.Engine {
	t.Helper()
	e, err := onednn.Compile(g, w, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// ramp repeats numbers from -1 to 1.
func ramp(shape ...int) *tensor.Dense {
	d := tensor.New(tensor.Float32, shape...)
	for i := range d.Float32s() {
		d.Float32s()[i] = float32(i%251)/125 - 1
	}
	return d
}
