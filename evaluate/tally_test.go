package evaluate_test

import (
	"math"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/internal/parity"
)

// A metricCase is one of the kit's loss_metrics.json.
type metricCase struct {
	Kind, Name string
	LsEps      float64 `json:"ls_eps"`
	DataSize   int     `json:"data_size"`
	Views      int     `json:"num_ensemble_views"`
	Crops      int     `json:"num_spatial_crops"`
	ClipIDs    []int   `json:"clip_ids"`
	Logits     [][]float32
	Labels     []int
	Loss       float64
	Top1, Top5 float64
	Result     struct{ Top1, Top5 float64 }
	Ties1      ties `json:"top1_ties"`
	Ties5      ties `json:"top5_ties"`
	Repeated   int  `json:"repeated_clips_ignored"`
}

type ties struct {
	LowerFirst float64 `json:"lower_index_first"`
}

func metricCases(t *testing.T) []metricCase {
	t.Helper()
	var file struct{ Cases []metricCase }
	parity.Open(t).Read(t, "loss_metrics.json", &file)
	return file.Cases
}

// The accuracies, and the loss without smoothing, are those of the reference.
func TestParity(t *testing.T) {
	seen := map[string]int{}
	for _, c := range metricCases(t) {
		m := evaluate.Metric{Classes: len(c.Logits0()), ClipsPerVideo: max(1, c.Views*c.Crops)}
		want1, want5 := c.Top1, c.Top5
		ids, repeated := c.ClipIDs, c.Repeated
		switch c.Kind {
		case "plain", "accuracy_ties":
			want1, want5 = c.Ties1.LowerFirst, c.Ties5.LowerFirst
		case "center_crop":
			want1, want5 = c.Ties1.LowerFirst, c.Ties5.LowerFirst
			repeated = len(c.Labels) - c.DataSize
		case "multi_crop":
		default:
			continue
		}
		seen[c.Kind]++
		if ids == nil { // rows past the data set's size are its first ones again
			for i := range c.Labels {
				if c.DataSize > 0 {
					i %= c.DataSize
				}
				ids = append(ids, i)
			}
		}
		tally, err := evaluate.NewTally(m)
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range ids {
			if err := tally.Add(evaluate.Row{Row: id, Label: c.Labels[i], Scores: c.Logits[i]}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := tally.Result()
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Top[0].Accuracy; math.Abs(got-want1) > 1e-6 {
			t.Errorf("%s %s: top-1 is %v, want %v", c.Kind, c.Name, got, want1)
		}
		if got := r.Top[1].Accuracy; math.Abs(got-want5) > 1e-6 {
			t.Errorf("%s %s: top-5 is %v, want %v", c.Kind, c.Name, got, want5)
		}
		if r.Repeated != repeated {
			t.Errorf("%s %s: %d rows ignored, want %d", c.Kind, c.Name, r.Repeated, repeated)
		}
		if c.Kind == "plain" && c.LsEps == 0 && math.Abs(r.MeanLoss-c.Loss) > 1e-9 {
			t.Errorf("%s %s: loss %v, want %v", c.Kind, c.Name, r.MeanLoss, c.Loss)
		}
	}
	if seen["plain"] < 16 || seen["accuracy_ties"] < 3 || seen["center_crop"] < 4 || seen["multi_crop"] < 2 {
		t.Errorf("cases met: %v", seen)
	}
}

// Logits0 is the first row.
func (c metricCase) Logits0() []float32 {
	if len(c.Logits) == 0 {
		return nil
	}
	return c.Logits[0]
}

// Facts of a small table, counted by hand: classes 0, 1, 2, none of class 3.
func table(t *testing.T, m evaluate.Metric) *evaluate.Result {
	t.Helper()
	tally, err := evaluate.NewTally(m)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range []evaluate.Row{
		{File: "a", Label: 0, Scores: []float32{2, 0, 0, 0}},
		{File: "b", Label: 0, Scores: []float32{0, 0, 3, 0}},  // taken for 2, ranks second
		{File: "c", Label: 0, Scores: []float32{0, 0, 9, 0}},  // taken for 2
		{File: "d", Label: 0, Scores: []float32{0, 1, 0, 0}},  // taken for 1
		{File: "e", Label: 1, Scores: []float32{1, 5, 1, 1}},  // right
		{File: "f", Label: 2, Error: "no such file"},          // wrong, in no row of the matrix
		{File: "g", Label: 2, Scores: []float32{0, 0, 1, -1}}, // right
	} {
		r.Row, r.Line = i, i+1
		if err := tally.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	r, err := tally.Result()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestResult(t *testing.T) {
	r := table(t, evaluate.Metric{Classes: 4, Names: []string{"zero", "one", "two", "three"}, TopK: []int{1, 2, 5}, Worst: 2})
	if r.Videos != 7 || r.Top[0].Correct != 3 || r.Top[1].Correct != 6 || r.Top[2].Correct != 6 {
		t.Errorf("%+v, want 3, 6 and 6 of 7", r.Top)
	}
	if r.Top[2].K != 5 || r.Top[2].Used != 4 {
		t.Errorf("top-5 of 4 classes: %+v", r.Top[2])
	}
	if want := (1.0/4 + 1 + 1.0/2) / 3; math.Abs(r.MeanClassAccuracy-want) > 1e-12 {
		t.Errorf("mean class accuracy %v, want %v", r.MeanClassAccuracy, want)
	}
	want := [][]int{{1, 1, 2, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 0}}
	if !slices.EqualFunc(r.Confusion, want, slices.Equal) {
		t.Errorf("confusion %v, want %v", r.Confusion, want)
	}
	if c := r.Classes[0]; c.Name != "zero" || c.Videos != 4 || c.Correct != 1 || c.Accuracy != 0.25 || c.ConfusedClass != 2 || c.Confused != 2 {
		t.Errorf("class 0: %+v", c)
	}
	if c := r.Classes[3]; c.Videos != 0 || c.Accuracy != 0 || c.ConfusedClass != -1 {
		t.Errorf("class 3: %+v", c)
	}
	if len(r.Worst) != 2 || r.Worst[0].File != "c" || r.Worst[1].File != "b" || r.Worst[0].Predicted != 2 {
		t.Errorf("worst: %+v", r.Worst)
	}
	if want := math.Log(3 + math.Exp(9)); math.Abs(r.Worst[0].Loss-want) > 1e-9 || math.Abs(r.Worst[0].Probability-math.Exp(-want)) > 1e-12 {
		t.Errorf("worst: %+v, want loss %v", r.Worst[0], want)
	}
	if len(r.Failed) != 1 || r.Failed[0].File != "f" || r.Failed[0].Line != 6 || r.Failed[0].Error != "no such file" {
		t.Errorf("failed: %+v", r.Failed)
	}
}

// The bounds are the roots q of (p-q)^2 = z^2 q(1-q)/n, found by bisection in
// Python.
func TestWilson(t *testing.T) {
	for _, tc := range []struct {
		correct, n int
		low, high  float64
	}{
		{0, 10, 0, 0.2775327998628892},
		{10, 10, 0.7224672001371107, 1},
		{21, 30, 0.5212421254, 0.8333525173},
		{1, 2, 0.0945312057, 0.9054687943},
	} {
		tally, _ := evaluate.NewTally(evaluate.Metric{Classes: 2})
		for i := range tc.n {
			scores := []float32{1, 0}
			if i >= tc.correct {
				scores = []float32{0, 1}
			}
			if err := tally.Add(evaluate.Row{Row: i, Scores: scores}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := tally.Result()
		if err != nil {
			t.Fatal(err)
		}
		if a := r.Top[0]; math.Abs(a.Low-tc.low) > 1e-8 || math.Abs(a.High-tc.high) > 1e-8 {
			t.Errorf("%d of %d: %v to %v, want %v to %v", tc.correct, tc.n, a.Low, a.High, tc.low, tc.high)
		}
	}
}
