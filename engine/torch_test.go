package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

const (
	side     = 32 // of the views
	segments = 1
	views    = 10 * segments
)

// network is a PP-TSN-18 with random weights that keep its values' magnitude.
var network = sync.OnceValues(func() (*graph.Graph, graph.Weights) {
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 7}, views, side, side)
	if err != nil {
		panic(err)
	}
	rng, w := rand.New(rand.NewPCG(1, 2)), graph.Weights{}
	for _, p := range net.Graph.Params {
		low, high := 0.5, 1.5
		if len(p.Shape) > 1 {
			high = math.Sqrt(6 / float64(tensor.Count(p.Shape)/p.Shape[0]))
			low = -high
		}
		w[p.Name] = tensor.New(tensor.Float32, p.Shape...)
		for i := range w[p.Name].Float32s() {
			w[p.Name].Float32s()[i] = float32(low + (high-low)*rng.Float64())
		}
	}
	return net.Graph, w
})

// noise is a Source of pictures that depend on its number.
type noise uint64

func (noise) Len() int { return 40 }

func (n noise) Frames(_ context.Context, indices []int) ([]*frame.RGB, error) {
	var out []*frame.RGB
	for _, i := range indices {
		rng, m := rand.New(rand.NewPCG(uint64(n), uint64(i))), frame.NewRGB(side+9, side+5)
		for k := range m.Pix {
			m.Pix[k] = byte(rng.Uint32())
		}
		out = append(out, m)
	}
	return out, nil
}

// clips are n clips, the frames of which are cut and mirrored in ten ways.
func clips(t *testing.T, n, segments int) []*clip.Clip {
	t.Helper()
	spec := clip.Spec{Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: segments}, Steps: []clip.Step{
		{TenCrop: &clip.TenCrop{Size: side}},
		{Normalize: &clip.Normalize{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}},
	}}
	out := make([]*clip.Clip, n)
	for i := range out {
		c, err := clip.Load(t.Context(), noise(i), spec, clip.Options{})
		if err != nil {
			t.Fatal(err)
		}
		out[i] = c
	}
	return out
}

func open(t *testing.T, o engine.Options) *engine.Engine {
	t.Helper()
	g, w := network()
	e, err := engine.Open(t.Context(), g, w, o)
	if errors.As(err, new(*torch.NotFoundError)) {
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

// near reports scores that differ by more than tol times the largest one.
func near(got, want [][]float32, tol float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d clips, want %d", len(got), len(want))
	}
	for i := range want {
		largest, worst := 0.0, 0.0
		for k, v := range want[i] {
			largest = max(largest, math.Abs(float64(v)))
			worst = max(worst, math.Abs(float64(v-got[i][k])))
		}
		if !(worst <= tol*largest) || len(got[i]) != len(want[i]) {
			return fmt.Errorf("clip %d: %v, want %v within %g", i, got[i], want[i], tol*largest)
		}
	}
	return nil
}

// libtorch gives what oneDNN gives: in float32 up to rounding, in bfloat16,
// whose numbers have 8 bits, within 3 % of the largest score.
func TestTorchAgreesWithOneDNN(t *testing.T) {
	reference := open(t, engine.Options{Kind: engine.OneDNN, Threads: 1})
	for _, tc := range []struct {
		precision graph.Precision
		tol       float64
	}{{graph.FP32, 1e-4}, {graph.BF16, 0.03}} {
		e := open(t, engine.Options{Kind: engine.Torch, Precision: tc.precision, Threads: 1, Force: true})
		if e.Kind() != engine.Torch || e.Precision() != tc.precision {
			t.Errorf("runs %s in %s", e.Kind(), e.Precision())
		}
		for _, n := range []int{1, 2, 3} {
			c := clips(t, n, segments)
			want, err := reference.Scores(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Scores(t.Context(), c)
			if err == nil {
				err = near(got, want, tc.tol)
			}
			if err != nil {
				t.Errorf("%s, %d clips: %v", tc.precision, n, err)
			}
		}
	}
}

// Goroutines that call at once, with one clip or several, get what one
// alone gets.
func TestTorchConcurrent(t *testing.T) {
	e := open(t, engine.Options{Kind: engine.Torch, Threads: 1})
	var wg sync.WaitGroup
	for i := range 3 {
		c := clips(t, 1+i, segments)
		want, err := e.Scores(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			wg.Go(func() {
				got, err := e.Scores(t.Context(), c)
				if err == nil && !slices.EqualFunc(got, want, slices.Equal[[]float32]) {
					err = fmt.Errorf("%v, want %v", got, want)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
}

func TestTorchCancel(t *testing.T) {
	e := open(t, engine.Options{Kind: engine.Torch, Threads: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Scores(ctx, clips(t, 1, segments)); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want one of cancellation", err)
	}
	if _, err := e.Scores(t.Context(), clips(t, 1, segments)); err != nil {
		t.Errorf("after a cancelled call: %v", err)
	}
}

func TestTorchRefuses(t *testing.T) {
	e := open(t, engine.Options{Kind: engine.Torch, Threads: 1})
	if _, err := e.Scores(t.Context(), nil); err == nil {
		t.Error("no clips: no error")
	}
	mixed := []*clip.Clip{clips(t, 1, segments)[0], clips(t, 1, segments+1)[0]}
	if _, err := e.Scores(t.Context(), mixed); err == nil || !strings.Contains(err.Error(), "20 views") {
		t.Errorf("clips of 10 and 20 views: error is %v", err)
	}
	g, w := network()
	n, err := torch.CUDADevices()
	if err != nil {
		t.Fatal(err)
	}
	_, err = engine.Open(t.Context(), g, w, engine.Options{Kind: engine.Torch, GPU: true, Device: n})
	if err == nil || !strings.Contains(err.Error(), torch.CUDA(n).String()) {
		t.Errorf("GPU %d of %d: error is %v", n, n, err)
	}
}
