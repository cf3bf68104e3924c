package quantize

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/tensor"
)

const toyClasses = 4

// toySpec takes 3 views of 24x24 pixels.
var toySpec = clip.Spec{
	Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 3},
	Steps: []clip.Step{
		{Scale: &clip.Scale{ShortSide: 28, Backend: clip.OpenCV}},
		{CenterCrop: &clip.CenterCrop{Size: 24}},
		{Normalize: &clip.Normalize{Mean: [3]float32{0.45, 0.45, 0.45}, Std: [3]float32{0.25, 0.25, 0.25}}},
	},
}

// toy is a network with all that matters here: a convolution on pictures, a
// block with a pool before its shortcut, and a classifier of the mean.
//
//	views ─a─ relu ─┬─ b ─ relu ─ c ─┐
//	                └─ pool ─ short ─ + ─ relu ─ d ─ relu ─ mean
func toy(t testing.TB) *bundle.Bundle { return toyOf(t, false) }

// toyOf takes single pictures or clips of 3.
func toyOf(t testing.TB, pictures bool) *bundle.Bundle {
	return toyWith(t, pictures, func(g *graph.Graph, features *graph.Value) *graph.Value { return features })
}

// toyWith has something else between the mean and the classifier.
func toyWith(t testing.TB, pictures bool, behind func(g *graph.Graph, features *graph.Value) *graph.Value) *bundle.Bundle {
	t.Helper()
	g := graph.New("toy")
	conv := func(name string, x *graph.Value, out, kernel, stride int) *graph.Value {
		w := g.Param(name+"_weights", out, x.Shape[1], kernel, kernel)
		op := graph.Conv{Stride: [2]int{stride, stride}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(kernel / 2), Groups: 1, Bias: true}
		return g.Must(name, op, x, w, g.Param(name+"_bias", out))
	}
	relu := func(x *graph.Value) *graph.Value {
		return g.Must(x.Name+".relu", graph.Activate{Act: graph.Activation{Func: graph.ReLU}}, x)
	}
	var x *graph.Value
	if pictures {
		x = g.Input("views", graph.Unknown, 3, 24, 24)
	} else {
		x = g.Must("views", graph.Reshape{Shape: []int{-1, 3, 24, 24}}, g.Input("clips", graph.Unknown, 3, 3, 24, 24))
	}
	a := relu(conv("a", x, 8, 3, 2))
	c := conv("c", relu(conv("b", a, 8, 3, 2)), 8, 3, 1)
	pool := g.Must("pool", graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Ceil: true}, a)
	sum := relu(g.Must("sum", graph.Binary{Op: graph.Add}, conv("short", pool, 8, 1, 1), c))
	d := relu(conv("d", sum, 16, 3, 1))
	features := g.Must("mean", graph.Mean{Axes: []int{2, 3}}, d)
	if !pictures {
		features = g.Must("segments", graph.Reshape{Shape: []int{-1, 3, 16}}, features)
		features = g.Must("consensus", graph.Mean{Axes: []int{1}}, features)
	}
	features = behind(g, features)
	g.Output(g.Must("scores", graph.Linear{Bias: true}, features, g.Param("fc_weights", 16, toyClasses), g.Param("fc_bias", toyClasses)))
	return &bundle.Bundle{Path: "toy", Graph: g, Weights: drawn(g)}
}

// drawn are random weights that keep the size of what they multiply.
func drawn(g *graph.Graph) graph.Weights {
	w, rng := graph.Weights{}, rand.New(rand.NewPCG(11, 0))
	for _, p := range g.Params {
		d := tensor.New(tensor.Float32, p.Shape...)
		inputs := max(1, d.Len()/p.Shape[0])
		for i := range d.Float32s() {
			d.Float32s()[i] = float32(rng.NormFloat64()) / float32(inputs) * 3
		}
		w[p.Name] = d
	}
	return w
}

// noiseViews are views like normalised pictures, in blocks of pixels.
func noiseViews(seed uint64, n int) *tensor.Dense {
	x, rng := tensor.New(tensor.Float32, n, 3, 24, 24), rand.New(rand.NewPCG(seed, 1))
	for at := 0; at < x.Len(); at += 24 * 24 {
		for y := range 24 {
			for z := range 24 {
				v := float32(rng.NormFloat64())
				if y%4 != 0 {
					v = x.Float32s()[at+(y-1)*24+z]
				} else if z%4 != 0 {
					v = x.Float32s()[at+y*24+z-1]
				}
				x.Float32s()[at+y*24+z] = v
			}
		}
	}
	return x
}

// actions are clips of people in motion, a few of each of the first 4 classes.
func actions(t testing.TB, each int) []Sample {
	t.Helper()
	dir := filepath.Join(testdata.Shared(t), "data", "actions")
	text, err := os.ReadFile(filepath.Join(dir, "train.list"))
	if err != nil {
		t.Skip(err)
	}
	var samples []Sample
	taken := map[int]int{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		label, err := strconv.Atoi(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		if taken[label]++; label < toyClasses && taken[label] <= each {
			samples = append(samples, Sample{Path: filepath.Join(dir, fields[0]), Label: label})
		}
	}
	return samples
}
