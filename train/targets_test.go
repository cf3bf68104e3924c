package train

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/pptsn/pptsn/internal/parity"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// A lossCase is one of the kit's loss_metrics.json.
type lossCase struct {
	Kind, Name string
	Smoothing  float64         `json:"ls_eps"`
	Valid      bool            `json:"valid_mode"`
	Lambda     json.RawMessage `json:"lam"` // of other kinds not a number
	Logits     [][]float32
	Labels     []int
	A          []int `json:"labels_a"`
	B          []int `json:"labels_b"`
	Loss       float64
	Top1, Top5 float64
	Gradients  [][]float64 `json:"grad_logits"` // the first columns
	Ties1      ties        `json:"top1_ties"`
	Ties5      ties        `json:"top5_ties"`
}

type ties struct {
	LowerFirst float64 `json:"lower_index_first"`
}

func (c lossCase) labels(t *testing.T) Labels {
	t.Helper()
	if c.Kind != "mixup" {
		return Labels{A: c.Labels}
	}
	l := Labels{A: c.A, B: c.B}
	if err := json.Unmarshal(c.Lambda, &l.Lambda); err != nil {
		t.Fatal(err)
	}
	return l
}

func (c lossCase) logits() *tensor.Dense {
	var flat []float32
	for _, row := range c.Logits {
		flat = append(flat, row...)
	}
	return tensor.FromFloat32(flat, len(c.Logits), len(c.Logits[0]))
}

// Losses, gradients and accuracies of plain and mixed batches are the
// reference's; equal scores go to the lower class.
func TestLossParity(t *testing.T) {
	var file struct{ Cases []lossCase }
	parity.Open(t).Read(t, "loss_metrics.json", &file)
	l := &Learner{o: LearnerOptions{Terms: labelsAlone}}
	session := start(t)
	seen := map[string]int{}
	for _, c := range file.Cases {
		want1, want5 := c.Top1, c.Top5
		switch c.Kind {
		case "plain", "accuracy_ties":
			want1, want5 = c.Ties1.LowerFirst, c.Ties5.LowerFirst
		case "mixup":
		default:
			continue
		}
		seen[c.Kind]++
		logits := c.logits()
		classes := logits.Shape[1]
		if got := TopK(logits.Float32s(), classes, c.labels(t), 1); math.Abs(got-want1) > 1e-6 {
			t.Errorf("%s %s: top-1 is %v, want %v", c.Kind, c.Name, got, want1)
		}
		if got := TopK(logits.Float32s(), classes, c.labels(t), 5); math.Abs(got-want5) > 1e-6 {
			t.Errorf("%s %s: top-5 is %v, want %v", c.Kind, c.Name, got, want5)
		}
		if c.Kind == "accuracy_ties" {
			continue
		}
		smoothing := c.Smoothing
		if c.Valid {
			smoothing = 0
		}
		b := MicroBatch{Views: tensor.New(tensor.Float32, len(c.Logits)), Targets: Targets(c.labels(t), classes, smoothing)}
		loss, grads := c.backward(t, session, l, b)
		if math.Abs(loss-c.Loss) > 1e-5 {
			t.Errorf("%s %s: loss is %v, want %v", c.Kind, c.Name, loss, c.Loss)
		}
		for i, row := range c.Gradients {
			for k, want := range row {
				if got := float64(grads[i*classes+k]); math.Abs(got-want) > 1e-6 {
					t.Errorf("%s %s: gradient of score %d of clip %d is %v, want %v", c.Kind, c.Name, k, i, got, want)
				}
			}
		}
	}
	for _, kind := range []string{"plain", "mixup", "accuracy_ties"} {
		if seen[kind] == 0 {
			t.Errorf("the kit has no case %q", kind)
		}
	}
}

// backward is the learner's loss of the case's scores, and its gradients.
func (c lossCase) backward(t *testing.T, session *torch.Session, l *Learner, b MicroBatch) (loss float64, grads []float32) {
	t.Helper()
	err := session.Do(t.Context(), func(s *torch.Scope) error {
		x := s.From(c.logits())
		s.RequireGrad(x)
		s.WithGrad(func() {
			value, scaled := l.loss(s, map[string]torch.Tensor{"Student": x}, b)
			loss = scalar(s, value)
			s.Backward(scaled)
		})
		grads = s.Float32s(s.Grads([]torch.Tensor{x})[0])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return loss, grads
}

func TestTargets(t *testing.T) {
	for _, tc := range []struct {
		name      string
		labels    Labels
		smoothing float64
		want      []float32
	}{
		{"plain", Labels{A: []int{2, 0}}, 0, []float32{0, 0, 1, 0, 1, 0, 0, 0}},
		{"smoothed", Labels{A: []int{1}}, 0.2, []float32{0.05, 0.85, 0.05, 0.05}},
		{"mixed", Labels{A: []int{1}, B: []int{3}, Lambda: 0.75}, 0, []float32{0, 0.75, 0, 0.25}},
		{"mixed, smoothed", Labels{A: []int{1}, B: []int{3}, Lambda: 0.75}, 0.2, []float32{0.05, 0.65, 0.05, 0.25}},
		{"mixed with its own class", Labels{A: []int{1}, B: []int{1}, Lambda: 0.3}, 0.2, []float32{0.05, 0.85, 0.05, 0.05}},
		{"mixed with none of the first", Labels{A: []int{1}, B: []int{3}, Lambda: 0}, 0, []float32{0, 0, 0, 1}},
	} {
		got := Targets(tc.labels, 4, tc.smoothing).Float32s()
		for i, want := range tc.want {
			if math.Abs(float64(got[i]-want)) > 1e-7 {
				t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
				break
			}
		}
	}
}

// A network that gives no numbers has no hits.
func TestTopKOfNoNumbers(t *testing.T) {
	nan := float32(math.NaN())
	for _, tc := range []struct {
		scores []float32
		label  int
		want   float64 // top-1
	}{
		{[]float32{nan, nan, nan}, 0, 0},
		{[]float32{nan, nan, nan}, 2, 0},
		{[]float32{1, nan, 0}, 1, 0},
		{[]float32{1, nan, 0}, 0, 0},
		{[]float32{1, 2, 0}, 1, 1},
	} {
		if got := TopK(tc.scores, 3, Labels{A: []int{tc.label}}, 1); got != tc.want {
			t.Errorf("top-1 of class %d in %v is %v, want %v", tc.label, tc.scores, got, tc.want)
		}
	}
	if got := TopK(nil, 3, Labels{}, 1); got != 0 {
		t.Errorf("top-1 of no clips is %v", got)
	}
}
