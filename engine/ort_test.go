package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
)

// openORT skips where ONNX Runtime is absent.
func openORT(t *testing.T, g *graph.Graph, w graph.Weights, o engine.Options) *engine.Engine {
	t.Helper()
	o.Kind, o.Threads = engine.ORT, 1
	e, err := engine.Open(t.Context(), g, w, o)
	if errors.As(err, new(*ort.NotFoundError)) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func scores(t *testing.T, e *engine.Engine, c []*clip.Clip) [][]float32 {
	t.Helper()
	s, err := e.Scores(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ONNX Runtime gives what oneDNN gives: one piece of 16 views, one and a rest,
// many.
func TestORTAgreesWithOneDNN(t *testing.T) {
	g, w := network()
	e := openORT(t, g, w, engine.Options{})
	reference := open(t, engine.Options{Kind: engine.OneDNN, Threads: 1})
	if e.Kind() != engine.ORT || e.Precision() != graph.FP32 {
		t.Errorf("runs %s in %s", e.Kind(), e.Precision())
	}
	for _, n := range []int{1, 2, 5, 3} {
		c := clips(t, n, segments)
		if err := near(scores(t, e, c), scores(t, reference, c), 1e-4); err != nil {
			t.Errorf("%d clips: %v", n, err)
		}
	}
}

// A network of pictures of any size: compiled as they come, their mean taken.
func TestORTPictures(t *testing.T) {
	g := graph.New("pictures")
	x := g.Input("x", graph.Unknown, 3, graph.Unknown, graph.Unknown)
	conv := graph.Conv{Stride: [2]int{2, 2}, Dilation: [2]int{1, 1}, Groups: 1}
	y := g.Must("conv", conv, x, g.Param("w", 4, 3, 3, 3))
	y = g.Must("mean", graph.Mean{Axes: []int{2, 3}}, y)
	g.Output(g.Must("scores", graph.Linear{}, y, g.Param("fc", 4, 5)))
	w := graph.Weights{"w": tensor.New(tensor.Float32, 4, 3, 3, 3), "fc": tensor.New(tensor.Float32, 4, 5)}
	for _, d := range w {
		for i := range d.Float32s() {
			d.Float32s()[i] = float32(i%7) - 3
		}
	}
	e := openORT(t, g, w, engine.Options{})
	reference, err := engine.Open(t.Context(), g, w, engine.Options{Kind: engine.OneDNN, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer reference.Close()
	for _, n := range []int{1, 3} {
		c := clips(t, n, segments)
		if err := near(scores(t, e, c), scores(t, reference, c), 1e-4); err != nil {
			t.Errorf("%d clips: %v", n, err)
		}
	}
}

func TestORTConcurrent(t *testing.T) {
	g, w := network()
	e := openORT(t, g, w, engine.Options{})
	var wg sync.WaitGroup
	for i := range 4 {
		c := clips(t, 1+i, segments)
		want := scores(t, e, c)
		wg.Go(func() {
			got, err := e.Scores(t.Context(), c)
			if err == nil {
				err = near(got, want, 1e-6)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestORTCancel(t *testing.T) {
	g, w := network()
	e := openORT(t, g, w, engine.Options{})
	c := clips(t, 4, segments)
	for _, when := range []string{"before", "meanwhile"} {
		ctx, cancel := context.WithCancel(t.Context())
		if when == "before" {
			cancel()
		} else {
			go cancel()
		}
		if _, err := e.Scores(ctx, c); err != nil && !errors.Is(err, context.Canceled) || err == nil && when == "before" {
			t.Errorf("cancelled %s: error %v", when, err)
		}
		cancel()
	}
	if len(scores(t, e, c)) != 4 {
		t.Error("no scores after a cancelled call")
	}
}

func TestORTRefuses(t *testing.T) {
	g, w := network()
	e := openORT(t, g, w, engine.Options{})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Scores(t.Context(), clips(t, 1, segments)); !errors.Is(err, ort.ErrClosed) {
		t.Errorf("closed: error %v", err)
	}
	if _, err := engine.Open(t.Context(), g, w, engine.Options{Kind: engine.ORT, Precision: graph.INT8}); err == nil || !strings.Contains(err.Error(), "scales") {
		t.Errorf("int8 without scales: error %v", err)
	}
	for _, tc := range []struct {
		o    engine.Options
		want error
	}{
		{engine.Options{Precision: graph.BF16}, new(ort.PrecisionError)},
		{engine.Options{GPU: true}, new(ort.ProviderError)},
		{engine.Options{TensorRT: true, Precision: graph.FP16}, new(ort.ProviderError)},
		{engine.Options{OpenVINO: true}, new(ort.ProviderError)},
	} {
		tc.o.Kind = engine.ORT
		e, err := engine.Open(t.Context(), g, w, tc.o)
		if err == nil {
			e.Close() // the machine has the provider
			continue
		}
		if fmt.Sprintf("%T", errors.Unwrap(err)) != fmt.Sprintf("%T", tc.want) {
			t.Errorf("%+v: error %v, want a %T", tc.o, err, tc.want)
		}
	}
}
