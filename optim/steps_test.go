package optim_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// steps is testdata/steps.json, see steps.py.
type steps struct {
	Params                                []parameter
	Rates                                 []float64
	Momentum, Beta1, Beta2, Epsilon, Clip float64

	Grads [][][]float32 // step, parameter
	Cases map[string]struct {
		Weights [][][]float64 // after each step
		Norms   []float64     // before clipping
		Slots   []struct {    // after the last step
			Param, Slot string
			Values      []float64
		}
	}
}

type parameter struct {
	Name   string
	Shape  []int
	LRMult float64 `json:"lr_mult"`
	Decay  float64
	Values []float32
}

func readSteps(t *testing.T) (s steps) {
	t.Helper()
	data, err := os.ReadFile("testdata/steps.json")
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rules are those of the cases.
func (s steps) rules() map[string]optim.Rule {
	adam := optim.Adam{Beta1: s.Beta1, Beta2: s.Beta2, Epsilon: s.Epsilon}
	adamw := adam
	adamw.Decoupled = true
	return map[string]optim.Rule{
		"sgd":              optim.SGD{},
		"momentum":         optim.Momentum{Mu: s.Momentum},
		"nesterov":         optim.Momentum{Mu: s.Momentum, Nesterov: true},
		"momentum clipped": optim.Momentum{Mu: s.Momentum},
		"adam":             adam,
		"adamw":            adamw,
		"adamw clipped":    adamw,
	}
}

// start opens a session on the CPU or, with PPTSN_TORCH_DEVICE=cuda, a GPU.
func start(t testing.TB) *torch.Session {
	t.Helper()
	if _, err := torch.Version(); errors.As(err, new(*torch.NotFoundError)) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	o := torch.SessionOptions{Threads: 1} // arrays are small
	if os.Getenv("PPTSN_TORCH_DEVICE") == "cuda" {
		o.Device = torch.CUDA(0)
	}
	s, err := torch.NewSession(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A training is an optimiser with its parameters.
type training struct {
	*optim.Optimizer
	session *torch.Session
	steps   steps
	params  []torch.Tensor // as in steps
}

func newTraining(t *testing.T, session *torch.Session, st steps, d torch.DType, rule optim.Rule, o optim.Options) *training {
	t.Helper()
	tr := &training{session: session, steps: st}
	var params []optim.Param
	err := session.Do(t.Context(), func(s *torch.Scope) error {
		for _, p := range st.Params {
			w := s.To(s.From(tensor.FromFloat32(slices.Clone(p.Values), p.Shape...)), d)
			s.RequireGrad(w)
			s.Keep(w)
			tr.params = append(tr.params, w)
			params = append(params, optim.Param{Name: p.Name, Tensor: w, LRMult: p.LRMult, Decay: p.Decay})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tr.Optimizer, err = optim.New(t.Context(), session, params, rule, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tr.Close()
		tr.Close()
		session.Free(tr.params...)
	})
	return tr
}

// step updates with the gradients of a step and gives their norm.
func (tr *training) step(t *testing.T, step int) (norm float64) {
	t.Helper()
	err := tr.session.Do(t.Context(), func(s *torch.Scope) error {
		byLeaf := map[torch.Tensor]torch.Tensor{}
		for i, p := range tr.steps.Params {
			g := s.From(tensor.FromFloat32(slices.Clone(tr.steps.Grads[step][i]), p.Shape...))
			byLeaf[tr.params[i]] = s.To(g, s.DType(tr.params[i]))
		}
		var grads []torch.Tensor
		for _, leaf := range tr.Leaves() {
			grads = append(grads, byLeaf[leaf])
		}
		norm = tr.Update(s, grads, tr.steps.Rates[step])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return norm
}

// weights are the parameters, as in steps.
func (tr *training) weights(t *testing.T) (w [][]float64) {
	t.Helper()
	err := tr.session.Do(t.Context(), func(s *torch.Scope) error {
		for _, p := range tr.params {
			w = append(w, float64s(s.Dense(p, tensor.Float64)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func float64s(d *tensor.Dense) []float64 {
	if d == nil {
		return nil
	}
	v := make([]float64, d.Len())
	for i := range v {
		v[i] = math.Float64frombits(binary.LittleEndian.Uint64(d.Data[8*i:]))
	}
	return v
}

// relative is max|got-want| / max|want|.
func relative(got, want []float64) float64 {
	var diff, size float64
	if len(got) != len(want) {
		return math.Inf(1)
	}
	for i, w := range want {
		diff, size = max(diff, math.Abs(got[i]-w)), max(size, math.Abs(w))
	}
	if math.IsNaN(diff) {
		return math.Inf(1)
	}
	return diff / size
}

func TestSteps(t *testing.T) {
	st := readSteps(t)
	if len(st.Cases) != len(st.rules()) {
		t.Errorf("%d cases, %d rules", len(st.Cases), len(st.rules()))
	}
	for name, rule := range st.rules() {
		c := st.Cases[name]
		var o optim.Options
		if len(c.Norms) > 0 {
			o.ClipNorm = st.Clip
		}
		t.Run(name+"/float64", func(t *testing.T) {
			tol := 1e-13
			if o.ClipNorm > 0 {
				tol = 1e-7 // the norm is rounded to float32
			}
			tr := newTraining(t, start(t), st, torch.Float64, rule, o)
			for step := range st.Rates {
				norm := tr.step(t, step)
				if o.ClipNorm > 0 && math.Abs(norm/c.Norms[step]-1) > 1e-6 {
					t.Errorf("step %d: norm %v, want %v", step, norm, c.Norms[step])
				}
				for i, w := range tr.weights(t) {
					if e := relative(w, c.Weights[step][i]); e > tol {
						t.Errorf("step %d: %s: relative error %.2g, tolerance %.2g", step, st.Params[i].Name, e, tol)
					}
				}
			}
		})
		t.Run(name+"/float32", func(t *testing.T) {
			tr := newTraining(t, start(t), st, torch.Float32, rule, o)
			for step := range st.Rates {
				tr.step(t, step)
			}
			last := c.Weights[len(c.Weights)-1]
			for i, w := range tr.weights(t) {
				if e := relative(w, last[i]); e > 2e-6 {
					t.Errorf("%s: relative error %.2g", st.Params[i].Name, e)
				}
			}
			slots := map[[2]string][]float64{}
			for _, s := range states(t, tr) {
				slots[[2]string{s.Param, s.Name}] = widened(s.Tensor)
			}
			for _, want := range c.Slots {
				if e := relative(slots[[2]string{want.Param, want.Slot}], want.Values); e > 2e-6 {
					t.Errorf("%s of %s: relative error %.2g", want.Slot, want.Param, e)
				}
			}
		})
	}
}

func widened(d *tensor.Dense) []float64 {
	var v []float64
	for _, x := range d.Float32s() {
		v = append(v, float64(x))
	}
	return v
}
