package distill_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"testing"

	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/internal/parity"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

func start(t *testing.T) *torch.Session {
	t.Helper()
	s, err := torch.NewSession(torch.SessionOptions{Threads: 1})
	if errors.As(err, new(*torch.NotFoundError)) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A lossCase is what a loss is computed from, as testdata/autograd.py reads it.
type lossCase struct {
	name    string
	Terms   []distill.Term
	Scores  map[string][][]float64
	Targets [][]float64
}

// A result is what it prints.
type result struct {
	Loss  float64
	Grads map[string][][]float64
}

// compute is the loss and its gradients as libtorch gives them to us.
func (c lossCase) compute(t *testing.T, session *torch.Session, d torch.DType) (r result) {
	t.Helper()
	r.Grads = map[string][][]float64{}
	err := session.Do(t.Context(), func(s *torch.Scope) error {
		scores := map[string]torch.Tensor{}
		for name, rows := range c.Scores {
			scores[name] = s.To(s.From(dense(rows)), d)
			s.RequireGrad(scores[name])
		}
		targets := s.To(s.From(dense(c.Targets)), d)
		var loss torch.Tensor
		s.WithGrad(func() { loss = distill.Loss(s, c.Terms, scores, targets) })
		s.Backward(loss)
		r.Loss = floats(s.Dense(loss, tensor.Float64))[0]
		for name, x := range scores {
			grad := s.Grads([]torch.Tensor{x})[0]
			flat := make([]float64, len(c.Targets)*len(c.Targets[0]))
			if !grad.None() {
				flat = floats(s.Dense(grad, tensor.Float64))
			}
			r.Grads[name] = rows(flat, len(c.Targets[0]))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func dense(rows [][]float64) *tensor.Dense {
	d := tensor.New(tensor.Float64, len(rows), len(rows[0]))
	for i, row := range rows {
		for k, v := range row {
			binary.LittleEndian.PutUint64(d.Data[8*(i*len(row)+k):], math.Float64bits(v))
		}
	}
	return d
}

func floats(d *tensor.Dense) (out []float64) {
	if d == nil { // the scope has the error
		return make([]float64, 1)
	}
	for b := d.Data; len(b) > 0; b = b[8:] {
		out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	return out
}

func rows(flat []float64, k int) (out [][]float64) {
	for ; len(flat) > 0; flat = flat[k:] {
		out = append(out, flat[:k])
	}
	return out
}

// The losses of the reference, as the parity kit has them: absolute tolerance
// 1e-5 in float32.
func TestParity(t *testing.T) {
	var kit struct{ Cases []json.RawMessage }
	parity.Open(t).Read(t, "loss_metrics.json", &kit)
	session, seen := start(t), 0
	for _, raw := range kit.Cases {
		var k struct {
			Name    string
			X, Y    [][]float64
			A       []int     `json:"labels_a"`
			B       []int     `json:"labels_b"`
			Lambda  []float64 `json:"lam"`
			CE      float64   `json:"ce_plain"`
			Mixed   float64   `json:"ce_mix"`
			Softmax float64   `json:"dml_softmax"`
			Sigmoid float64   `json:"dml_sigmoid"`
		}
		var head struct{ Kind string }
		if err := json.Unmarshal(raw, &head); err != nil {
			t.Fatal(err)
		}
		if head.Kind != "distill" {
			continue // of other kinds fields have other types
		}
		if err := json.Unmarshal(raw, &k); err != nil {
			t.Fatal(err)
		}
		seen++
		classes := len(k.X[0])
		lambda := 0.0 // the kit weights the mean losses by each clip's share, and averages
		for _, v := range k.Lambda {
			lambda += v / float64(len(k.Lambda))
		}
		ce := distill.Term{Kind: distill.CE, Of: "Student", To: distill.GroundTruth, Weight: 1}
		for _, tc := range []struct {
			what    string
			term    distill.Term
			targets [][]float64
			want    float64
		}{
			{"CE", ce, targets(classes, k.A, k.A, 1), k.CE},
			{"CE of mixed clips", ce, targets(classes, k.A, k.B, lambda), k.Mixed},
			{"DML, softmax", dml(distill.Softmax, 1), targets(classes, k.A, k.A, 1), k.Softmax},
			{"DML, sigmoid", dml(distill.Sigmoid, 1), targets(classes, k.A, k.A, 1), k.Sigmoid},
		} {
			c := lossCase{Terms: []distill.Term{tc.term}, Scores: map[string][][]float64{"Student": k.X, "Teacher": k.Y}, Targets: tc.targets}
			for _, d := range []torch.DType{torch.Float32, torch.Float64} {
				if got := c.compute(t, session, d).Loss; !(math.Abs(got-tc.want) <= 1e-5) {
					t.Errorf("%s, %s in %s: %v, want %v", k.Name, tc.what, d, got, tc.want)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("the kit has no case of distillation")
	}
}

func dml(act distill.Act, weight float64) distill.Term {
	return distill.Term{Kind: distill.DML, Of: "Student", To: "Teacher", Weight: weight, Act: act, Epsilon: 1e-12}
}

// targets are lambda of labels a and the rest of b.
func targets(classes int, a, b []int, lambda float64) [][]float64 {
	out := make([][]float64, len(a))
	for i := range a {
		out[i] = make([]float64, classes)
		out[i][a[i]] += lambda
		out[i][b[i]] += 1 - lambda
	}
	return out
}

// Losses and gradients of each loss alone and of several together, with labels
// of mixed clips, are those of PyTorch's autograd.
func TestAutograd(t *testing.T) {
	session := start(t)
	cases := autogradCases()
	for i, want := range autograd(t, cases) {
		c := cases[i]
		for _, p := range []struct {
			d   torch.DType
			tol float64 // absolute; float32 has 24 bits, of scores up to 8 and losses up to 40
		}{{torch.Float64, 1e-12}, {torch.Float32, 2e-5}} {
			got := c.compute(t, session, p.d)
			if !(math.Abs(got.Loss-want.Loss) <= p.tol) {
				t.Errorf("%s in %s: loss is %v, want %v", c.name, p.d, got.Loss, want.Loss)
			}
			moved := 0
			for name, g := range want.Grads {
				for n, row := range g {
					for k, v := range row {
						if v != 0 {
							moved++
						}
						if x := got.Grads[name][n][k]; !(math.Abs(x-v) <= p.tol) {
							t.Errorf("%s in %s: gradient of score %d of %s for clip %d is %v, want %v", c.name, p.d, k, name, n, x, v)
						}
					}
				}
			}
			if moved == 0 {
				t.Errorf("%s: no gradient", c.name)
			}
		}
	}
}

func autogradCases() []lossCase {
	const n, classes = 4, 7
	rng := rand.New(rand.NewPCG(7, 8))
	scores := map[string][][]float64{}
	for _, name := range []string{"Student", "Teacher", "Tutor"} {
		flat := make([]float64, n*classes)
		for i := range flat {
			flat[i] = float64(float32(16*rng.Float64() - 8))
		}
		scores[name] = rows(flat, classes)
	}
	mixed := targets(classes, []int{0, 3, 3, 6}, []int{3, 0, 6, 3}, 0.75)
	ce := func(of string, smoothing float64) distill.Term {
		return distill.Term{Kind: distill.CE, Of: of, To: distill.GroundTruth, Weight: 1, Smoothing: smoothing}
	}
	kd := func(temperature, alpha, smoothing float64) distill.Term {
		return distill.Term{Kind: distill.KD, Of: "Student", To: "Teacher", Weight: 1, Temperature: temperature, Alpha: alpha, Smoothing: smoothing}
	}
	half := ce("Student", 0)
	half.Weight = 0.5
	third := dml(distill.Softmax, 1.0/3)
	third.To = "Tutor"
	var cases []lossCase
	for name, terms := range map[string][]distill.Term{
		"CE": {ce("Student", 0)}, "CE smoothed": {ce("Student", 0.1)}, "CE weighted": {half},
		"DML softmax": {dml(distill.Softmax, 1)}, "DML sigmoid": {dml(distill.Sigmoid, 1)}, "DML weighted": {third},
		"KD": {kd(4, 0.9, 0)}, "KD of temperature 1": {kd(1, 1, 0)}, "KD of labels alone": {kd(2, 0, 0.1)}, "KD smoothed": {kd(3, 0.5, 0.2)},
		"the reference's": {ce("Student", 0), ce("Teacher", 0), dml(distill.Softmax, 1)},
		"all":             {ce("Student", 0.1), ce("Teacher", 0), half, dml(distill.Sigmoid, 2), third, kd(4, 0.7, 0.1)},
	} {
		cases = append(cases, lossCase{name: name, Terms: terms, Scores: scores, Targets: mixed})
	}
	positive := map[string][][]float64{"Student": {{0.2, 0.3, 0.5}, {0.1, 0.1, 0.8}}, "Teacher": {{0.4, 0.4, 0.2}, {0.6, 0.3, 0.1}}}
	return append(cases, lossCase{name: "DML of scores as they are", Terms: []distill.Term{dml(distill.Linear, 1)}, Scores: positive,
		Targets: targets(3, []int{0, 1}, []int{0, 1}, 1)})
}

// autograd asks PyTorch.
func autograd(t *testing.T, cases []lossCase) (all []result) {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, which python3-torch belongs to
	if err := exec.Command(python, "-c", "import torch").Run(); err != nil {
		t.Skipf("%s has no PyTorch to compare with (Debian: apt-get install python3-torch): %v", python, err)
	}
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/autograd.py")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &all)
	}
	if err != nil || len(all) != len(cases) {
		t.Fatalf("%d results: %v\n%s", len(all), err, &stderr)
	}
	return all
}

// Scores so far apart that one's probability is 0 in float32 give the loss and
// gradients of float64, whose range suffices, also where epsilon is none.
func TestDMLFarApart(t *testing.T) {
	var cases []lossCase
	scores := map[string][][]float64{"Student": {{0, 200, -150}, {100, -120, 3}}, "Teacher": {{160, 0, -50}, {-90, 120, 3}}}
	for _, act := range []distill.Act{distill.Softmax, distill.Sigmoid} {
		for _, epsilon := range []float64{0, 1e-45, 1e-25, 1e-12, 0.5} {
			term := dml(act, 1)
			term.Epsilon = epsilon
			cases = append(cases, lossCase{name: fmt.Sprintf("%s with epsilon %g", act, epsilon), Terms: []distill.Term{term}, Scores: scores,
				Targets: targets(3, []int{0, 1}, []int{0, 1}, 1)})
		}
	}
	session := start(t)
	for i, want := range autograd(t, cases) {
		got := cases[i].compute(t, session, torch.Float32)
		near := func(what string, x, v float64) {
			if !(math.Abs(x-v) <= 1e-6*max(1, math.Abs(want.Loss))) {
				t.Errorf("%s: %s is %v, want %v", cases[i].name, what, x, v)
			}
		}
		near("loss", got.Loss, want.Loss)
		for name, g := range want.Grads {
			for n, row := range g {
				for k, v := range row {
					near(fmt.Sprintf("gradient of score %d of %s for clip %d", k, name, n), got.Grads[name][n][k], v)
				}
			}
		}
	}
}

// Of no clips, as a rank may have, the loss is 0 and not 0/0.
func TestLossOfNothing(t *testing.T) {
	err := start(t).Do(t.Context(), func(s *torch.Scope) error {
		none := s.From(tensor.New(tensor.Float32, 0, 5))
		terms := []distill.Term{dml(distill.Softmax, 1), {Kind: distill.KD, Of: "Student", To: "Teacher", Weight: 1, Temperature: 2, Alpha: 0.5}}
		loss := distill.Loss(s, terms, map[string]torch.Tensor{"Student": none, "Teacher": none}, none)
		if v := s.Float32s(loss); len(v) != 1 || v[0] != 0 {
			t.Errorf("loss is %v, want 0", v)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
