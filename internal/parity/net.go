package parity

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// A NetCase is one network with its input and what the reference computed.
type NetCase struct {
	Spec struct {
		Name     string
		Kind     tsn.Family
		Layers   int
		Classes  int `json:"num_classes"`
		Segments int `json:"num_seg"`
		Batch    int
		H, W     int
		Input    string  // "hash" or "blend"
		Smooth   float64 `json:"ls_eps"`
	}
	InputSummary    Summary     `json:"input_summary"`
	EvalLogits      [][]float64 `json:"eval_logits"`
	EvalActivations []Summary   `json:"eval_activations"`

	// Training, three steps on the same batch.
	Labels    []int
	Optimizer struct {
		LR       float64
		Momentum float64
		L2       float64 `json:"l2_default"`
		Nesterov bool    `json:"use_nesterov"`
		Clip     float64 `json:"clip_global_norm"` // 0: none
	}
	TrainLogits      [][]float64 `json:"train_logits"`
	TrainLosses      []float64   `json:"train_losses"`
	GradNorms        []float64   `json:"grad_global_norms"`
	Grads            []Summary   `json:"grads_step1"`
	Statistics       []Summary   `json:"bn_stats_after_step1"`
	Params1          []Summary   `json:"params_after_step1"`
	Params3          []Summary   `json:"params_after_step3"`
	EvalLogitsAfter3 [][]float64 `json:"eval_logits_after3"`
}

// A Summary describes a tensor too large to list.
type Summary struct {
	Name   string
	Shape  []int
	Sum    float64
	AbsSum float64   `json:"abs_sum"`
	First  []float64 // up to 8 values
	Last   []float64
	Probe  float64 // dot product with the stream "probe." + name
}

// LogitTolerance bounds RelError of float32 logits and activations.
const LogitTolerance = 2e-5

// NetCases are all networks of the kit.
func (k *Kit) NetCases(t testing.TB) []NetCase {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(k.Dir, "net", "*.json"))
	var cases []NetCase
	for _, file := range files {
		var c NetCase
		k.Read(t, filepath.Join("net", filepath.Base(file)), &c)
		if c.EvalLogits != nil { // not a table of names or of probes
			cases = append(cases, c)
		}
	}
	if cases == nil {
		t.Fatal("the parity kit has no networks")
	}
	return cases
}

// Build is the case's network with its weights.
func (c NetCase) Build(t testing.TB, k *Kit) (*graph.Graph, graph.Weights) {
	t.Helper()
	net, err := tsn.Build(tsn.Spec{Family: c.Spec.Kind, Layers: c.Spec.Layers, Classes: c.Spec.Classes}, c.Spec.Segments, c.Spec.H, c.Spec.W)
	if err != nil {
		t.Fatal(err)
	}
	return net.Graph, k.Weights(net)
}

// Input is [batch, T, 3, H, W]; it is checked against the case's summary.
func (c NetCase) Input(t testing.TB, k *Kit) *tensor.Dense {
	t.Helper()
	s := c.Spec
	x := tensor.New(tensor.Float32, s.Batch, s.Segments, 3, s.H, s.W)
	v := x.Float32s()
	k.Stream("input."+s.Name, v)
	switch s.Input {
	case "hash":
		for i := range v {
			v[i] *= 2
		}
	case "blend":
		k.blend(v, s.Batch*s.Segments, s.W, s.H)
	default:
		t.Fatalf("case %s: input %q is unknown", s.Name, s.Input)
	}
	if err := Compare(v[:8], c.InputSummary.First); err != 0 {
		t.Fatalf("case %s: input begins %v, want %v", s.Name, v[:8], c.InputSummary.First)
	}
	return x
}

// blend adds the normalised synthetic frames, three float32 roundings each.
func (k *Kit) blend(v []float32, frames, w, h int) {
	mean, std := [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}
	for n := range frames {
		img := k.Frame(w, h, n)
		for c := range 3 {
			plane := v[(n*3+c)*w*h:][:w*h]
			for i := range plane {
				p := float32(img.Pix[3*i+c]) / 255
				p -= mean[c]
				p /= std[c]
				plane[i] = p + plane[i]
			}
		}
	}
}

// Compare is max|got-want| / max|want|.
func Compare(got []float32, want []float64) float64 {
	var diff, size float64
	for i, w := range want {
		diff = max(diff, math.Abs(float64(got[i])-w))
		size = max(size, math.Abs(w))
	}
	if math.IsNaN(diff) {
		return math.Inf(1)
	}
	return diff / size
}

// CompareLogits is Compare over the rows of [N, K] logits.
func CompareLogits(got *tensor.Dense, want [][]float64) float64 {
	var flat []float64
	for _, row := range want {
		flat = append(flat, row...)
	}
	if got.Len() != len(flat) {
		return math.Inf(1)
	}
	return Compare(got.Float32s(), flat)
}

// Error is the largest relative difference between a tensor and its summary.
func (s Summary) Error(k *Kit, got *tensor.Dense) float64 {
	v := got.Float32s()
	probe := make([]float32, len(v))
	k.Stream("probe."+s.Name, probe)
	var sum, abs, dot float64
	for i, x := range v {
		sum += float64(x)
		abs += math.Abs(float64(x))
		dot += float64(x) * float64(probe[i])
	}
	size := s.AbsSum // sums of many signs are compared by the size of what was added
	return max(math.Abs(sum-s.Sum)/size, math.Abs(abs-s.AbsSum)/size, math.Abs(dot-s.Probe)/size,
		Compare(v, s.First), Compare(v[len(v)-len(s.Last):], s.Last))
}
