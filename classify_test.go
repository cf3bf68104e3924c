package pptsn_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

var smallSpec = clip.Spec{
	Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 2},
	Steps: []clip.Step{
		{Scale: &clip.Scale{ShortSide: 64, Backend: clip.OpenCV}},
		{TenCrop: &clip.TenCrop{Size: 48}},
		{Normalize: &clip.Normalize{Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.2, 0.2, 0.2}}},
	},
}

// smallModel exports a random network of five classes.
func smallModel(t testing.TB) (path string, net *tsn.Network, w graph.Weights) {
	t.Helper()
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 5}, smallSpec.Views(), 48, 48)
	if err != nil {
		t.Fatal(err)
	}
	w, rng := graph.Weights{}, rand.New(rand.NewPCG(7, 7))
	for _, p := range net.Params {
		d := tensor.New(tensor.Float32, p.Shape...)
		for i := range d.Float32s() {
			d.Float32s()[i] = float32(0.05 * rng.NormFloat64())
			if strings.HasSuffix(p.Name, "_variance") || strings.HasSuffix(p.Name, "norm.weight") {
				d.Float32s()[i] = 0.5 + rng.Float32()
			}
		}
		w[p.Name] = d
	}
	path = filepath.Join(t.TempDir(), "m")
	m := bundle.Manifest{Model: "m", Network: net.Spec, Source: "test", Preprocess: smallSpec, Labels: []string{"a", "b", "c", "d", "e"}}
	if err := bundle.Write(path, m, net, w); err != nil {
		t.Fatal(err)
	}
	return path, net, w
}

// noise is a clip of n random pictures that differ by seed.
type noise struct {
	n    int
	seed uint64
}

func (s noise) Len() int { return s.n }

func (s noise) Frames(ctx context.Context, indices []int) ([]*frame.RGB, error) {
	frames := make([]*frame.RGB, len(indices))
	for i, n := range indices {
		rng := rand.New(rand.NewPCG(s.seed, uint64(n)))
		frames[i] = frame.NewRGB(80, 64)
		for k := range frames[i].Pix {
			frames[i].Pix[k] = byte(rng.Uint32())
		}
	}
	return frames, ctx.Err()
}

// The scores of a Model are the softmax of what the evaluator computes of the
// same views.
func TestClassifySource(t *testing.T) {
	path, net, w := smallModel(t)
	m, err := pptsn.Open(path, pptsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	res, err := m.ClassifySource(t.Context(), noise{30, 1})
	if err != nil {
		t.Fatal(err)
	}
	c, err := clip.Load(t.Context(), noise{30, 1}, smallSpec, clip.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := graph.Eval(net.Graph, w, tensor.FromFloat32(c.Views(nil, 0, 20), 1, 20, 3, 48, 48))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, s := range out[0].Float32s() {
		sum += math.Exp(float64(s))
	}
	if len(res.Top) != 5 || !reflect.DeepEqual(res.Frames, c.Frames) {
		t.Fatalf("%+v", res)
	}
	for i, c := range res.Top {
		want := math.Exp(float64(out[0].Float32s()[c.Index])) / sum
		if math.Abs(c.Score-want) > 1e-5 || c.Name != string(rune('a'+c.Index)) {
			t.Errorf("class %d (%s): %v, want %v", c.Index, c.Name, c.Score, want)
		}
		if i > 0 && c.Score > res.Top[i-1].Score {
			t.Errorf("class %d is out of order", c.Index)
		}
	}
}

func TestConcurrentClassify(t *testing.T) {
	path, _, _ := smallModel(t)
	m, err := pptsn.Open(path, pptsn.Options{TopK: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var want [4]*pptsn.Result
	for i := range want {
		if want[i], err = m.ClassifySource(t.Context(), noise{10 + i, uint64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for k := range 24 {
		wg.Go(func() {
			i := k % len(want)
			got, err := m.ClassifySource(t.Context(), noise{10 + i, uint64(i)})
			if err != nil || !reflect.DeepEqual(got.Top, want[i].Top) {
				t.Errorf("clip %d: %v, %v, want %v", i, got, err, want[i])
			}
		})
	}
	wg.Wait()
}

func TestCancelAndClose(t *testing.T) {
	path, _, _ := smallModel(t)
	m, err := pptsn.Open(path, pptsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.ClassifySource(ctx, noise{30, 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if _, err := m.ClassifySource(t.Context(), noise{0, 1}); !errors.Is(err, clip.ErrNoFrames) {
		t.Errorf("error %v, want clip.ErrNoFrames", err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := m.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := m.ClassifySource(t.Context(), noise{30, 1}); err == nil {
		t.Error("a closed model classified")
	}
}

func TestOptionsThatDoNotFit(t *testing.T) {
	path, _, _ := smallModel(t)
	if _, err := pptsn.Open(path, pptsn.Options{Labels: []string{"a"}}); err == nil || !strings.Contains(err.Error(), "1 labels") {
		t.Errorf("one label: error %v", err)
	}
	three := smallSpec
	three.Sampling.Segments = 3
	if _, err := pptsn.Open(path, pptsn.Options{Preprocess: &three}); err == nil || !strings.Contains(err.Error(), "30 views") {
		t.Errorf("three segments: error %v", err)
	}
}

// A clip with more damage than its index says, or turned, or as another codec,
// must still be the same clip to the network.
func TestClassifyRealVideo(t *testing.T) {
	shared := testdata.Shared(t)
	path, _, _ := smallModel(t)
	m, err := pptsn.Open(path, pptsn.Options{TopK: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want, err := m.Classify(t.Context(), filepath.Join(shared, "data/videos/archery-paddlevideo.avi"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gen-rotated-90.mp4", "gen-vp9.webm", "gen-av1.webm", "gen-hevc-10bit.mp4", "gen-open-gop-bframes.mp4"} {
		got, err := m.Classify(t.Context(), filepath.Join(shared, "data/odd-videos", name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Top[0].Index != want.Top[0].Index || math.Abs(got.Top[0].Score-want.Top[0].Score) > 0.02 || !reflect.DeepEqual(got.Frames, want.Frames) {
			t.Errorf("%s: %+v, want %+v", name, got.Top[0], want.Top[0])
		}
	}
}
