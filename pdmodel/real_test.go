package pdmodel_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/pdmodel"
	"github.com/pptsn/pptsn/tensor"
)

// realFile reads a file that Paddle wrote.
func realFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata.Shared(t), "data/paddle", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func realProgram(t testing.TB, name string) *pdmodel.Program {
	t.Helper()
	p, err := pdmodel.Parse(realFile(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

// The facts of each program, from the README beside the files, where another
// parser found them.
var realPrograms = []struct {
	file          string
	version       string
	blocks, ops   int
	params        int
	input, output string
	runs          bool
}{
	{"mobilenetv3-small-035/inference.pdmodel", "2.6.2", 1, 202, 214,
		"x float32 [-1, 3, 224, 224]", "save_infer_model/scale_0.tmp_0 float32 [-1, 3]", true},
	{"pptsm-k400/ppTSM.pdmodel", "2.0.0", 1, 208, 277,
		"data_batch_0 float32 [-1, 8, 3, 224, 224]", "save_infer_model/scale_0.tmp_1 float32 [-1, 400]", true},
	{"graphs/resnet50-imagenet-v0.pdmodel", "unknown version", 1, 180, 267,
		"inputs float32 [-1, 3, 224, 224]", "save_infer_model/scale_0.tmp_1 float32 [-1, 1000]", true},
	{"graphs/resnet50-garbage40-v3.pdmodel", "3.0.0", 1, 179, 267,
		"x float32 [-1, 3, 224, 224]", "softmax_0.tmp_0 float32 [-1, 40]", true},
	{"graphs/pplcnet-x2_5-v0.pdmodel", "unknown version", 1, 107, 146,
		"x float32 [-1, 3, 224, 224]", "save_infer_model/scale_0.tmp_1 float32 [-1, 512]", true},
	{"graphs/mobilenetv1-int8-v0.pdmodel", "unknown version", 1, 34, 56,
		"x float32 [-1, 3, 224, 224]", "save_infer_model/scale_0.tmp_0 float32 [-1, 1000]", true},
	{"efficientgcn-xsub/xsub.pdmodel", "2.2.2", 12, 638, 358,
		"x float32 [16, 3, 6, 288, 25, 2]", "reshape2_13.tmp_0 float32 [16, 60]", false},
	{"lstm-adam/LSTMModel.pdmodel", "2.3.2", 1, 10, 7,
		"input float32 [10000, 1, 4]", "linear_1.tmp_1 float32 [10000, 2]", false},
	{"custom-gap/custom_gap.pdmodel", "unknown version", 1, 13, 6,
		"x float32 [32, 3, 7, 7]", "save_infer_model/scale_0.tmp_0 float32 [1]", false},
}

func TestRealPrograms(t *testing.T) {
	for _, tc := range realPrograms {
		t.Run(tc.file, func(t *testing.T) {
			data := realFile(t, tc.file)
			p, err := pdmodel.Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			ops := 0
			for _, n := range p.OpCounts() {
				ops += n
			}
			if p.VersionString() != tc.version || len(p.Blocks) != tc.blocks || ops != tc.ops || len(p.Params()) != tc.params {
				t.Errorf("%s, %d blocks, %d operators, %d parameters", p.VersionString(), len(p.Blocks), ops, len(p.Params()))
			}
			if got := p.Inputs()[0].String(); got != tc.input {
				t.Errorf("input %s, want %s", got, tc.input)
			}
			if got := p.Outputs()[0].String(); got != tc.output {
				t.Errorf("output %s, want %s", got, tc.output)
			}
			if !bytes.Equal(p.Encode(), data) {
				t.Error("encoded again, the program is not the same bytes")
			}
			if _, err := p.Graph(); (err == nil) != tc.runs {
				t.Errorf("translation: %v", err)
			}
		})
	}
}

// TestShapes compares the shapes that the graph infers with those that Paddle
// inferred when it exported the program.
func TestShapes(t *testing.T) {
	for _, tc := range realPrograms {
		if !tc.runs {
			continue
		}
		p := realProgram(t, tc.file)
		g, err := p.Graph()
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Check(); err != nil {
			t.Error(err)
		}
		dims := map[string][]int64{}
		for _, v := range p.Blocks[0].Vars {
			if v.Tensor != nil {
				dims[v.Name] = v.Tensor.Dims
			}
		}
		for _, n := range g.Nodes {
			want, ok := dims[n.Out.Name]
			if ok && !slices.EqualFunc(want, n.Out.Shape, func(w int64, d int) bool { return int(w) == d }) {
				t.Errorf("%s: %s, by the program %v", tc.file, n.Out, want)
			}
		}
	}
}

// TestRun runs each real graph with random weights on a small image.
func TestRun(t *testing.T) {
	for _, tc := range realPrograms {
		if !tc.runs {
			continue
		}
		t.Run(tc.file, func(t *testing.T) {
			g, err := realProgram(t, tc.file).Graph()
			if err != nil {
				t.Fatal(err)
			}
			shape := shrink(g)
			x := tensor.New(tensor.Float32, shape...)
			rng := rand.New(rand.NewPCG(1, 2))
			for i := range x.Float32s() {
				x.Float32s()[i] = rng.Float32()*2 - 1
			}
			out := eval(t, g, randomWeights(g, rng), x)[0]
			want := append([]int{1}, g.Outputs[0].Shape[1:]...)
			if !slices.Equal(out.Shape, want) {
				t.Errorf("result %v, want %v", out.Shape, want)
			}
			least, most := slices.Min(out.Float32s()), slices.Max(out.Float32s())
			if math.IsNaN(float64(least)) || least == most {
				t.Errorf("results from %v to %v", least, most)
			}
		})
	}
}

// shrink lets a graph for 224x224 pixels take 17x17 and returns the shape of
// its input then. Only PP-TSM's first reshape mentions the size.
func shrink(g *graph.Graph) []int {
	in := g.Inputs[0]
	last := len(in.Shape)
	in.Shape[last-2], in.Shape[last-1] = 17, 17
	if _, ok := g.Nodes[0].Op.(graph.Reshape); ok {
		g.Nodes[0].Op = graph.Reshape{Shape: []int{-1, 3, 17, 17}}
	}
	shape := slices.Clone(in.Shape)
	shape[0] = 1
	small, err := g.Bind(shape)
	if err != nil {
		panic(err)
	}
	*g = *small
	return shape
}

// randomWeights keeps the variance of values from layer to layer.
func randomWeights(g *graph.Graph, rng *rand.Rand) graph.Weights {
	w := graph.Weights{}
	for _, p := range g.Params {
		d := tensor.New(tensor.Float32, p.Shape...)
		bound := float32(math.Sqrt(6 / float64(max(tensor.Count(p.Shape[1:]), 2))))
		for i := range d.Float32s() {
			d.Float32s()[i] = (rng.Float32()*2 - 1) * bound
		}
		w[p.Name] = d
	}
	for _, n := range g.Nodes {
		if _, ok := n.Op.(graph.BatchNorm); !ok {
			continue
		}
		for _, p := range []*graph.Value{n.In[1], n.In[4]} { // scale, variance
			for i := range w[p.Name].Float32s() {
				w[p.Name].Float32s()[i] = 0.5 + rng.Float32()
			}
		}
	}
	return w
}
