package quantize

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/video"
)

func scoresOf(t *testing.T, e *engine.Engine, l loaded) []float32 {
	t.Helper()
	scores, err := e.Scores(t.Context(), []*clip.Clip{l.clip})
	if err != nil {
		t.Fatal(err)
	}
	return scores[0]
}

// centre shifts the classifier so that each class wins on some clips: random
// weights alone say the same class whatever they see.
func centre(t *testing.T, b *bundle.Bundle, samples []Sample) {
	t.Helper()
	e, err := engine.Open(t.Context(), b.Graph, b.Weights, engine.Options{Kind: engine.OneDNN, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	bias := b.Weights["fc_bias"].Clone()
	for l := range load(t.Context(), samples, toySpec, 1) {
		if l.err != nil {
			t.Fatal(l.err)
		}
		for k, s := range scoresOf(t, e, l) {
			bias.Float32s()[k] -= s / float32(len(samples))
		}
	}
	b.Weights["fc_bias"] = bias
}

// spoil gives a's result a channel that is always 1000 and that b and the
// shortcut do not look at: float32 does not mind, but 8 bits have no room left
// for the other channels.
func spoil(b *bundle.Bundle) {
	a, bias := b.Weights["a_weights"].Float32s(), b.Weights["a_bias"].Float32s()
	clear(a[:len(a)/8])
	bias[0] = 1000
	for _, reader := range []string{"b_weights", "short_weights"} {
		w := b.Weights[reader]
		kernel := w.Shape[2] * w.Shape[3]
		for out := range w.Shape[0] {
			clear(w.Float32s()[out*8*kernel:][:kernel])
		}
	}
}

func TestRun(t *testing.T) {
	b, samples := toy(t), actions(t, 4)
	calibrate, check := Split(samples, 8)
	var steps []string
	r, err := Run(t.Context(), Options{
		Bundle: b, Spec: toySpec, Calibrate: calibrate, Check: check, Views: 2, Threads: 1, Workers: 2, MinAgreement: 0.8,
		Progress: func(what string, done, total int) {
			if done == total {
				steps = append(steps, what)
			}
		},
		Skipped: func(path string, err error) { t.Errorf("left out: %v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"calibrate", "choose scales", "check fp32", "check int8", "measure layers"}; !slices.Equal(steps, want) {
		t.Errorf("steps %v, want %v", steps, want)
	}
	best := slices.MinFunc(r.Trials, func(a, b Trial) int { return int(math.Copysign(1, a.Drift-b.Drift)) })
	if len(r.Trials) != len(candidates) || best.Method != r.Method || best.Drift > 0.02 || best.Drift == 0 {
		t.Errorf("method %s of %v", r.Method, r.Trials)
	}
	if err := r.Scales.Check(mustOptimise(t, b)); err != nil || len(r.Scales) != 5 || !slices.Equal(r.Float, []string{"a"}) {
		t.Errorf("scales %v, in float32 %v, %v", r.Scales, r.Float, err)
	}
	a := r.Agreement
	if a.Clips != 8 || a.Labelled != 8 || a.Top1 < 0.8 || a.MaxDrift <= 0 || a.MaxDrift > 0.05 || a.MeanDrift > a.MaxDrift {
		t.Errorf("agreement %+v", a)
	}
	for _, l := range r.Layers {
		if l.DB < 25 || l.DB > 80 || l.TotalDB < 20 || l.TotalDB > l.DB+0.5 || math.Abs(l.DB+20*math.Log10(l.Error)) > 1e-9 {
			t.Errorf("layer %+v", l)
		}
	}
}

func mustOptimise(t *testing.T, b *bundle.Bundle) *graph.Graph {
	t.Helper()
	g, _, err := graph.Optimize(b.Graph, b.Weights)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Where a network convolves what its views have in common, that stays in float32:
// single views have no such values.
func TestRunConvolutionBehindConsensus(t *testing.T) {
	b := toyWith(t, false, func(g *graph.Graph, features *graph.Value) *graph.Value {
		x := g.Must("square", graph.Reshape{Shape: []int{-1, 16, 1, 1}}, features)
		op := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1, Bias: true}
		x = g.Must("late", op, x, g.Param("late_weights", 16, 16, 1, 1), g.Param("late_bias", 16))
		return g.Must("flat", graph.Reshape{Shape: []int{-1, 16}}, x)
	})
	samples := actions(t, 2)
	r, err := Run(t.Context(), Options{Bundle: b, Spec: toySpec, Calibrate: samples[:4], Check: samples[4:], Views: 1, Threads: 1, Workers: 2, Method: Max})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Float, []string{"a", "late"}) || len(r.Layers) != 4 || r.Agreement.MaxDrift > 0.1 {
		t.Errorf("in float32 %v, %d layers in int8, %+v", r.Float, len(r.Layers), r.Agreement)
	}
}

// The layers that cannot be held in 8 bits are found and stay in float32.
func TestRunKeepsTheWorst(t *testing.T) {
	b, samples := toy(t), actions(t, 4)
	spoil(b)
	centre(t, b, samples)
	calibrate, check := Split(samples, 8)
	o := Options{Bundle: b, Spec: toySpec, Calibrate: calibrate, Check: check, Threads: 1, Workers: 2, Method: Max, MinAgreement: 0.85}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.First.Agreement.Top1 > 0.8 || r.Agreement.Top1 < 0.85 || !slices.Contains(r.Float, "b") || len(r.Float) <= len(r.First.Float) {
		t.Errorf("agreement %v with %v in float32, then %v with %v", r.First.Agreement.Top1, r.First.Float, r.Agreement.Top1, r.Float)
	}
	if len(r.Layers)+len(r.Float) != 5 || len(r.First.Layers) != 4 {
		t.Errorf("%d layers measured with %v in float32, %d before", len(r.Layers), r.Float, len(r.First.Layers))
	}
	o.MinAgreement = 0
	r, err = Run(t.Context(), o)
	if err != nil || len(r.Float) != 1 || r.Agreement != r.First.Agreement {
		t.Errorf("nothing asked for: %v in float32, %v", r.Float, err)
	}
	o.Keep, o.MinAgreement = []string{"b", "short"}, 0.85
	r, err = Run(t.Context(), o)
	if err != nil || r.First.Agreement.Top1 < 0.85 || len(r.Float) != 3 {
		t.Errorf("with both kept: agreement %v, %v in float32, %v", r.First.Agreement.Top1, r.Float, err)
	}
}

// Files that are no videos are named, once, and left out.
func TestRunDamagedClips(t *testing.T) {
	b, samples := toy(t), actions(t, 2)
	bad := filepath.Join(t.TempDir(), "bad.avi")
	if err := os.WriteFile(bad, []byte("no video"), 0o644); err != nil {
		t.Fatal(err)
	}
	calibrate, check := samples[:4], samples[4:]
	named := map[string]int{}
	o := Options{Bundle: b, Spec: toySpec, Threads: 1, Workers: 2, Method: Max,
		Calibrate: append([]Sample{{bad, 0}, {"absent.avi", 1}}, calibrate...),
		Check:     slices.Insert(slices.Clone(check), 1, Sample{bad, 2}),
		Skipped: func(path string, err error) {
			var open *video.OpenError
			if !errors.Is(err, os.ErrNotExist) && !errors.As(err, &open) {
				t.Errorf("%s: %v", path, err)
			}
			named[path]++
		}}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if named[bad] != 2 || named["absent.avi"] != 1 || r.Agreement.Clips != 4 {
		t.Errorf("left out %v, %d clips checked", named, r.Agreement.Clips)
	}
	o.Calibrate = append(o.Calibrate[:2], calibrate[:3]...)
	var few *TooFewError
	if _, err = Run(t.Context(), o); !errors.As(err, &few) || few.Readable != 3 || few.Skipped != 2 || few.Use != "calibrate" {
		t.Errorf("error %v, want too few clips to calibrate with", err)
	}
	o.Calibrate, o.Check = calibrate, check[:2]
	if _, err = Run(t.Context(), o); !errors.As(err, &few) || few.Readable != 2 || few.Use != "check fp32" {
		t.Errorf("error %v, want too few clips to check with", err)
	}
}

func TestRunRefuses(t *testing.T) {
	b := toy(t)
	wide := toySpec
	wide.Sampling.Segments = 5
	damaged := toy(t)
	damaged.Weights["c_weights"].Float32s()[0] = float32(math.NaN())
	samples := actions(t, 2)
	for _, tc := range []struct {
		name string
		o    Options
		want string
	}{
		{"other preprocessing", Options{Bundle: b, Spec: wide}, "5 views"},
		{"unknown layer", Options{Bundle: b, Spec: toySpec, Keep: []string{"res9"}}, "layer res9"},
		{"nothing left", Options{Bundle: b, Spec: toySpec, Keep: []string{"b", "c", "short", "d"}}, "no convolution"},
		{"no clips", Options{Bundle: b, Spec: toySpec}, "too few clips, 0"},
		{"damaged weights", Options{Bundle: damaged, Spec: toySpec, Calibrate: samples}, "damaged"},
	} {
		if _, err := Run(t.Context(), tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.want)
		}
	}
}

// Wherever it is cancelled, Run returns with the context's error.
func TestRunCancelled(t *testing.T) {
	samples := actions(t, 2)
	for _, at := range []string{"calibrate", "choose scales", "check fp32", "measure layers", "check int8"} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Run(ctx, Options{Bundle: toy(t), Spec: toySpec, Threads: 1, Workers: 2, Calibrate: samples[:4], Check: samples[4:], Method: Max,
			Progress: func(what string, done, _ int) {
				if what == at && done == 1 {
					cancel()
				}
			}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at %q: error %v", at, err)
		}
	}
}

func TestSplit(t *testing.T) {
	var samples []Sample
	for i := range 20 {
		samples = append(samples, Sample{Path: string(rune('a' + i))})
	}
	twice := slices.Concat(samples, samples)
	a, b := Split(twice, 64)
	again, _ := Split(twice, 64)
	if len(a) != 10 || len(b) != 10 || !slices.Equal(a, again) {
		t.Errorf("%d and %d of 20 clips", len(a), len(b))
	}
	if few, rest := Split(twice, 3); len(few) != 3 || len(rest) != 17 || !slices.Equal(few, a[:3]) {
		t.Errorf("%d and %d of 20 clips, want 3 and 17", len(few), len(rest))
	}
	seen := map[string]bool{}
	for _, s := range slices.Concat(a, b) {
		if seen[s.Path] {
			t.Errorf("clip %s is in both parts", s.Path)
		}
		seen[s.Path] = true
	}
	// The same files by other names: absolute, through a link, with a detour.
	dir := t.TempDir()
	t.Chdir(dir)
	if err := errors.Join(os.WriteFile("x.avi", nil, 0o644), os.WriteFile("y.avi", nil, 0o644), os.Symlink("x.avi", "link.avi")); err != nil {
		t.Fatal(err)
	}
	names := []Sample{{Path: "x.avi"}, {Path: "./x.avi"}, {Path: filepath.Join(dir, "x.avi")}, {Path: "link.avi"}, {Path: "y.avi"}, {Path: "././y.avi"}, {Path: "absent.avi"}, {Path: "./absent.avi"}}
	if a, b := Split(names, 64); len(a) != 1 || len(b) != 2 {
		t.Errorf("%v and %v of 3 clips", a, b)
	}
	if rest := Without(names, []Sample{{Path: filepath.Join(dir, "link.avi")}, {Path: filepath.Join(dir, "absent.avi")}}, 64); len(rest) != 1 || rest[0].Path != "y.avi" {
		t.Errorf("%v are left, want y.avi", rest)
	}
	for _, s := range Without(twice, b, 64) {
		if !slices.Contains(a, s) {
			t.Errorf("clip %s is checked with", s.Path)
		}
	}
	if got := Without(twice, b, 4); len(got) != 4 {
		t.Errorf("%d clips, want 4", len(got))
	}
}

// By hand: of three clips one changes its class; drifts are 0.2, 0 and 0.1.
func TestCompare(t *testing.T) {
	float := []verdict{{0, []float64{0.6, 0.4}}, {Unlabelled, []float64{0.1, 0.9}}, {0, []float64{0.7, 0.3}}}
	integer := []verdict{{0, []float64{0.4, 0.6}}, {Unlabelled, []float64{0.1, 0.9}}, {0, []float64{0.8, 0.2}}}
	a := compare(float, integer)
	want := Agreement{Clips: 3, Top1: 2.0 / 3, MeanDrift: 0.1, MaxDrift: 0.2, Labelled: 2, FP32: 1, INT8: 0.5}
	a.MeanDrift, a.MaxDrift = math.Round(a.MeanDrift*1e9)/1e9, math.Round(a.MaxDrift*1e9)/1e9
	if a != want {
		t.Errorf("%+v, want %+v", a, want)
	}
}

func TestNoise(t *testing.T) {
	var n, none, silent noise
	n.add([]float32{3, 4.5}, []float32{3, 4})
	none.add([]float32{1}, []float32{1})
	silent.add([]float32{1}, []float32{0})
	if n.db() != 20 || n.relative() != 0.1 || none.db() != mostDB || none.relative() != 0 || silent.db() != 0 || silent.relative() != 1 {
		t.Errorf("%v dB %v, %v dB %v, %v dB %v", n.db(), n.relative(), none.db(), none.relative(), silent.db(), silent.relative())
	}
}
