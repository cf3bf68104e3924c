package torch_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

const pixelSide = 12

var imageNet = clip.Normalize{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}

// classifier is a small network of T views of a video: what treats each view
// alone, with a residual sum, then the mean over the views and scores.
func classifier(views int) (*graph.Graph, graph.Weights) {
	g, w, rng := graph.New("classifier"), graph.Weights{}, rand.New(rand.NewPCG(4, 5))
	param := func(name string, shape ...int) *graph.Value {
		w[name] = tensor.New(tensor.Float32, shape...)
		limit := math.Sqrt(6 / float64(tensor.Count(shape[1:])+1))
		for i := range w[name].Float32s() {
			w[name].Float32s()[i] = float32(limit * (2*rng.Float64() - 1))
		}
		return g.Param(name, shape...)
	}
	conv := func(x *graph.Value, name string, in, out int) *graph.Value {
		op := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(1), Groups: 1, Bias: true}
		return g.Must(name, op, x, param(name+".filter", out, in, 3, 3), param(name+".bias", out))
	}
	relu := func(x *graph.Value, name string) *graph.Value {
		return g.Must(name, graph.Activate{Act: graph.Activation{Func: graph.ReLU}}, x)
	}
	x := g.Input("x", graph.Unknown, views, 3, pixelSide, pixelSide)
	x = g.Must("pictures", graph.Reshape{Shape: []int{-1, 3, pixelSide, pixelSide}}, x)
	x = relu(conv(x, "first", 3, 8), "a")
	y := conv(relu(conv(x, "second", 8, 8), "b"), "third", 8, 8)
	x = relu(g.Must("sum", graph.Binary{Op: graph.Add}, y, x), "c")
	x = g.Must("pooled", graph.Mean{Axes: []int{2, 3}}, x)
	x = g.Must("features", graph.Reshape{Shape: []int{-1, views, 8}}, x)
	x = g.Must("consensus", graph.Mean{Axes: []int{1}}, x)
	g.Output(g.Must("scores", graph.Linear{Bias: true}, x, param("matrix", 8, 5), param("offset", 5)))
	return g, w
}

// film holds random views as bytes and as clip.Views would give them.
type film struct {
	pixels []byte
	input  *tensor.Dense
}

func newFilm(seed uint64, shape ...int) film {
	rng := rand.New(rand.NewPCG(seed, 0))
	f := film{input: tensor.New(tensor.Float32, shape...)}
	f.pixels = make([]byte, f.input.Len())
	const area = pixelSide * pixelSide
	for i := range f.pixels {
		p := byte(rng.Uint32())
		f.pixels[i] = p
		v, at, c := i/(3*area), i/3%area, i%3
		f.input.Float32s()[(3*v+c)*area+at] = (float32(p)/255 - imageNet.Mean[c]) / imageNet.Std[c]
	}
	return f
}

// run has the engine compute the film, of which it asks at most so many views
// at a time, each once and in order.
func (f film) run(ctx context.Context, e *torch.Engine, most int) (*tensor.Dense, error) {
	next, total := 0, len(f.pixels)/(3*pixelSide*pixelSide)
	out, err := e.RunPixels(ctx, torch.Pixels{Shape: f.input.Shape, Normalize: imageNet, Fill: func(dst []byte, from, to int) error {
		if from != next || to <= from || to > total || to-from > most || len(dst) != (to-from)*3*pixelSide*pixelSide {
			return fmt.Errorf("asks for views %d to %d of %d in %d bytes, %d are next", from, to, total, len(dst), next)
		}
		next = to
		copy(dst, f.pixels[from*3*pixelSide*pixelSide:])
		return nil
	}})
	if err != nil {
		return nil, err
	}
	if next != total {
		return nil, fmt.Errorf("asked for %d of %d views", next, total)
	}
	return out[0], nil
}

func engineOf(t *testing.T, views int, o torch.EngineOptions) (*torch.Engine, *graph.Graph, graph.Weights) {
	t.Helper()
	g, w := classifier(views)
	o.Session = torch.SessionOptions{Device: device(t), Threads: 1}
	e, err := torch.Compile(t.Context(), g, w, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, g, w
}

// Pixels give what the evaluator gives for the numbers they stand for, for any
// number of videos and whatever the pieces are; three times each, since on a
// GPU the second is recorded and the third replayed. bfloat16 has 8 bits.
func TestPixelsAgainstEvaluator(t *testing.T) {
	for _, tc := range []struct {
		dtype torch.DType
		tol   float64
	}{{torch.Float32, 1e-5}, {torch.BFloat16, 0.02}, {torch.Float16, 0.003}} {
		if tc.dtype == torch.Float16 && !device(t).CUDA {
			continue // libtorch has no convolutions in it there
		}
		for _, most := range []int{1, 3, 4, 64} {
			e, g, w := engineOf(t, 3, torch.EngineOptions{Network: torch.NetworkOptions{DType: tc.dtype}, Views: most})
			for videos := 1; videos <= 4; videos++ {
				for turn := range 3 {
					f := newFilm(uint64(10*videos+turn), videos, 3, 3, pixelSide, pixelSide)
					want, err := graph.Eval(g, w, f.input)
					if err != nil {
						t.Fatal(err)
					}
					got, err := f.run(t.Context(), e, most)
					if err == nil {
						err = graphtest.Compare(got, want[0], tc.tol)
					}
					if err != nil {
						t.Errorf("%s, %d views at a time, %d videos: %v", tc.dtype, most, videos, err)
					}
				}
			}
			if notes := e.Notes(); len(notes) > 0 {
				t.Errorf("notes %q", notes)
			}
		}
	}
}

// The way of pixels is that of numbers: in one piece the scores are the same
// bits on the CPU.
func TestPixelsAreTheFloatPath(t *testing.T) {
	e, _, _ := engineOf(t, 4, torch.EngineOptions{Views: 64})
	f := newFilm(3, 2, 4, 3, pixelSide, pixelSide)
	want, err := e.Run(t.Context(), f.input)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.run(t.Context(), e, 64)
	if err != nil {
		t.Fatal(err)
	}
	tol := 0.0
	if device(t).CUDA {
		tol = 1e-5 // cuDNN may take another way for another order of memory
	}
	if err := graphtest.Compare(got, want[0], tol); err != nil {
		t.Error(err)
	}
}

// A network of single pictures, and one whose views cannot be told apart, run
// as well.
func TestPixelsOfPictures(t *testing.T) {
	g := graph.New("flat")
	w := graph.Weights{"m": tensor.New(tensor.Float32, 2*3*pixelSide*pixelSide, 4)}
	for i := range w["m"].Float32s() {
		w["m"].Float32s()[i] = float32(i%11-5) / 64
	}
	x := g.Input("x", graph.Unknown, 2, 3, pixelSide, pixelSide)
	x = g.Must("flat", graph.Reshape{Shape: []int{-1, 2 * 3 * pixelSide * pixelSide}}, x)
	g.Output(g.Must("scores", graph.Linear{}, x, g.Param("m", 2*3*pixelSide*pixelSide, 4)))
	blobs, blobWeights := blob(4)
	for _, tc := range []struct {
		g     *graph.Graph
		w     graph.Weights
		shape []int
	}{
		{g, w, []int{1, 2, 3, pixelSide, pixelSide}}, {g, w, []int{3, 2, 3, pixelSide, pixelSide}},
		{blobs, blobWeights, []int{1, 3, pixelSide, pixelSide}}, {blobs, blobWeights, []int{5, 3, pixelSide, pixelSide}},
	} {
		e, err := torch.Compile(t.Context(), tc.g, tc.w, torch.EngineOptions{Session: torch.SessionOptions{Device: device(t), Threads: 1}, Views: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		f := newFilm(8, tc.shape...)
		want, err := graph.Eval(tc.g, tc.w, f.input)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.run(t.Context(), e, 64)
		if err == nil {
			err = graphtest.Compare(got, want[0], 1e-5)
		}
		if err != nil {
			t.Errorf("%s of %v: %v", tc.g.Name, tc.shape, err)
		}
	}
}

// Runs of many goroutines take turns piece by piece and do not mix.
func TestPixelsConcurrent(t *testing.T) {
	e, g, w := engineOf(t, 3, torch.EngineOptions{Views: 4})
	var wg sync.WaitGroup
	for i := range 8 {
		f := newFilm(uint64(i), 1+i%4, 3, 3, pixelSide, pixelSide)
		want, err := graph.Eval(g, w, f.input)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for range 5 {
				got, err := f.run(t.Context(), e, 4)
				if err == nil {
					err = graphtest.Compare(got, want[0], 1e-5)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// A run that is cancelled, or whose views cannot be had, ends with that error,
// and the engine goes on.
func TestPixelsCancel(t *testing.T) {
	e, _, _ := engineOf(t, 3, torch.EngineOptions{Views: 1})
	f := newFilm(1, 4, 3, 3, pixelSide, pixelSide)
	want, err := f.run(t.Context(), e, 1)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no more views")
	for at := range 12 {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := e.RunPixels(ctx, torch.Pixels{Shape: f.input.Shape, Normalize: imageNet, Fill: func(_ []byte, from, _ int) error {
			if from == at {
				cancel()
			}
			return nil
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at view %d: error is %v", at, err)
		}
		cancel()
		_, err = e.RunPixels(t.Context(), torch.Pixels{Shape: f.input.Shape, Normalize: imageNet, Fill: func(_ []byte, from, _ int) error {
			if from == at {
				return broken
			}
			return nil
		}})
		if !errors.Is(err, broken) {
			t.Errorf("no view %d: error is %v", at, err)
		}
	}
	got, err := f.run(t.Context(), e, 1)
	if err == nil {
		err = graphtest.Compare(got, want, 1e-6)
	}
	if err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Close waits for runs; those that come later are told.
func TestPixelsCloseConcurrent(t *testing.T) {
	g, w := classifier(3)
	e, err := torch.Compile(t.Context(), g, w, torch.EngineOptions{Session: torch.SessionOptions{Device: device(t), Threads: 1}, Views: 2})
	if err != nil {
		t.Fatal(err)
	}
	f := newFilm(1, 3, 3, 3, pixelSide, pixelSide)
	var wg sync.WaitGroup
	ran := make(chan struct{}, 1<<20)
	for range 6 {
		wg.Go(func() {
			for {
				ran <- struct{}{}
				if _, err := f.run(context.Background(), e, 2); errors.Is(err, torch.ErrClosed) {
					return
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 60 { // all are at work
		<-ran
	}
	for range 3 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

func TestPixelsOfWrongShape(t *testing.T) {
	e, _, _ := engineOf(t, 3, torch.EngineOptions{})
	for _, shape := range [][]int{{1, 2, 3, pixelSide, pixelSide}, {3, pixelSide}, {1, 3, 1, pixelSide, pixelSide}, nil} {
		if _, err := e.RunPixels(t.Context(), torch.Pixels{Shape: shape, Normalize: imageNet}); err == nil {
			t.Errorf("an input of shape %v: no error", shape)
		}
	}
}
