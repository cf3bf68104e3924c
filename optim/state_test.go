package optim_test

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

func states(t *testing.T, tr *training) []optim.Slot {
	t.Helper()
	slots, err := tr.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slots
}

// finder looks slots up as SetState wants it.
func finder(slots []optim.Slot) func(param, slot string) (*tensor.Dense, error) {
	return func(param, slot string) (*tensor.Dense, error) {
		for _, s := range slots {
			if s.Param == param && s.Name == slot {
				return s.Tensor, nil
			}
		}
		return nil, nil
	}
}

// continued is a second training that starts where the first is.
func continued(t *testing.T, tr *training, steps int, rule optim.Rule) *training {
	t.Helper()
	next := newTraining(t, tr.session, tr.steps, torch.Float32, rule, optim.Options{})
	err := tr.session.Do(t.Context(), func(s *torch.Scope) error {
		for i, p := range tr.params {
			s.Run("aten::copy_", next.params[i], p, false)
		}
		return nil
	})
	if err == nil {
		err = next.SetState(t.Context(), steps, finder(states(t, tr)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// What was saved and put back goes on bit by bit as what was not.
func TestStateRoundTrip(t *testing.T) {
	st := readSteps(t)
	for _, name := range []string{"sgd", "momentum", "nesterov", "adam", "adamw"} {
		t.Run(name, func(t *testing.T) {
			rule := st.rules()[name]
			tr := newTraining(t, start(t), st, torch.Float32, rule, optim.Options{})
			for step := range 2 {
				tr.step(t, step)
			}
			next := continued(t, tr, tr.Steps(), rule)
			if next.Steps() != 2 {
				t.Errorf("goes on from step %d, want 2", next.Steps())
			}
			for step := 2; step < len(st.Rates); step++ {
				tr.step(t, step)
				next.step(t, step)
			}
			for i, w := range tr.weights(t) {
				if !slices.Equal(w, next.weights(t)[i]) {
					t.Errorf("%s differs from that of a run without a break", st.Params[i].Name)
				}
			}
			for i, s := range states(t, tr) {
				if !slices.Equal(s.Tensor.Data, states(t, next)[i].Tensor.Data) {
					t.Errorf("%s of %s differs from that of a run without a break", s.Name, s.Param)
				}
			}
		})
	}
}

// Another program's file says how many updates there were only in Adam's
// powers, which Paddle keeps as float32.
func TestAdamStepsFromPowers(t *testing.T) {
	st := readSteps(t)
	for _, beta2 := range []float64{0.999, 0.99, 0.9} {
		rule := optim.Adam{Beta1: 0.9, Beta2: beta2, Epsilon: 1e-8}
		tr := newTraining(t, start(t), st, torch.Float32, rule, optim.Options{})
		for _, steps := range []int{0, 1, 2, 3, 10, 500} {
			slots := states(t, tr)
			power := float32(1) // as Paddle does it: a product in float32
			for range steps + 1 {
				power *= float32(beta2)
			}
			for i := range slots {
				if slots[i].Name == "beta2_pow_acc" {
					slots[i].Tensor = tensor.FromFloat32([]float32{power}, 1)
				}
			}
			if err := tr.SetState(t.Context(), -1, finder(slots)); err != nil {
				t.Fatal(err)
			}
			if tr.Steps() != steps {
				t.Errorf("beta2 %v: power %v is %d updates, want %d", beta2, power, tr.Steps(), steps)
			}
		}
	}
}

// Another program may have kept its powers as float64.
func TestAdamStepsFromFloat64(t *testing.T) {
	st := readSteps(t)
	tr := newTraining(t, start(t), st, torch.Float32, st.rules()["adam"], optim.Options{})
	slots := states(t, tr)
	for i := range slots {
		if slots[i].Name == "beta2_pow_acc" {
			slots[i].Tensor = tensor.New(tensor.Float64, 1)
			binary.LittleEndian.PutUint64(slots[i].Tensor.Data, math.Float64bits(0.99*0.99*0.99))
		}
	}
	if err := tr.SetState(t.Context(), -1, finder(slots)); err != nil || tr.Steps() != 2 {
		t.Errorf("%d updates, want 2 (%v)", tr.Steps(), err)
	}
}

// A power that has become 0 is that of very many updates: corrections are 1.
func TestAdamPowerUnderflow(t *testing.T) {
	st := readSteps(t)
	tr := newTraining(t, start(t), st, torch.Float32, st.rules()["adam"], optim.Options{})
	slots := states(t, tr)
	for i := range slots {
		if strings.HasSuffix(slots[i].Name, "pow_acc") {
			slots[i].Tensor = tensor.New(tensor.Float32, 1)
		}
	}
	if err := tr.SetState(t.Context(), -1, finder(slots)); err != nil {
		t.Fatal(err)
	}
	before := tr.weights(t)
	tr.step(t, 0)
	at := slices.IndexFunc(st.Params, func(p parameter) bool { return p.Decay == 0 })
	g := float64(st.Grads[0][at][0])
	m, u := (1-st.Beta1)*g, (1-st.Beta2)*g*g
	want := before[at][0] - st.Rates[0]*st.Params[at].LRMult*m/(math.Sqrt(u)+st.Epsilon)
	if got := tr.weights(t)[at][0]; math.Abs(got-want) > 1e-6 {
		t.Errorf("after a step without corrections %v, want %v", got, want)
	}
	for _, s := range states(t, tr) {
		if strings.HasSuffix(s.Name, "pow_acc") && s.Tensor.Float32s()[0] != 0 {
			t.Errorf("%s is %v afterwards, want 0", s.Name, s.Tensor.Float32s()[0])
		}
	}
}

// The powers after t updates are those for the next: beta^(t+1), which is what
// Paddle saves.
func TestAdamPowers(t *testing.T) {
	st := readSteps(t)
	tr := newTraining(t, start(t), st, torch.Float32, st.rules()["adam"], optim.Options{})
	for step := range 3 {
		tr.step(t, step)
	}
	count := 0
	for _, s := range states(t, tr) {
		want := map[string]float64{"beta1_pow_acc": 0.9 * 0.9 * 0.9 * 0.9, "beta2_pow_acc": 0.99 * 0.99 * 0.99 * 0.99}[s.Name]
		if want == 0 {
			continue
		}
		count++
		if !slices.Equal(s.Tensor.Shape, []int{1}) || math.Abs(float64(s.Tensor.Float32s()[0])-want) > 1e-7 {
			t.Errorf("%s of %s is %v %v, want [1] %v", s.Name, s.Param, s.Tensor, s.Tensor.Float32s(), want)
		}
	}
	if count != 2*len(st.Params) {
		t.Errorf("%d powers, want two for each of %d parameters", count, len(st.Params))
	}
}

// A state that does not fit is an error that names it, and changes nothing of
// the number of updates.
func TestSetStateErrors(t *testing.T) {
	st := readSteps(t)
	tr := newTraining(t, start(t), st, torch.Float32, st.rules()["adam"], optim.Options{})
	tr.step(t, 0)
	good := finder(states(t, tr))
	unreadable := errors.New("unreadable")
	for _, tc := range []struct {
		name  string
		steps int
		find  func(param, slot string) (*tensor.Dense, error)
		want  []string
	}{
		{"a slot is missing", 1, func(param, slot string) (*tensor.Dense, error) {
			if param == "fc.bias" && slot == "moment2" {
				return nil, nil
			}
			return good(param, slot)
		}, []string{"moment2", "fc.bias"}},
		{"another shape", 1, func(param, slot string) (*tensor.Dense, error) {
			if param == "fc.weight" {
				return tensor.New(tensor.Float32, 2, 2), nil
			}
			return good(param, slot)
		}, []string{"moment1", "fc.weight", "[2, 2]", "[3, 4]"}},
		{"a file that cannot be read", 1, func(param, slot string) (*tensor.Dense, error) { return nil, unreadable }, []string{"unreadable"}},
		{"no power of beta2", -1, func(param, slot string) (*tensor.Dense, error) {
			if slot == "beta2_pow_acc" {
				return tensor.FromFloat32([]float32{-2}, 1), nil
			}
			return good(param, slot)
		}, []string{"beta2_pow_acc", "-2"}},
		{"a power that is no number", -1, func(param, slot string) (*tensor.Dense, error) {
			if slot == "beta2_pow_acc" {
				return tensor.FromFloat32([]float32{float32(math.NaN())}, 1), nil
			}
			return good(param, slot)
		}, []string{"beta2_pow_acc", "NaN"}},
	} {
		err := tr.SetState(t.Context(), tc.steps, tc.find)
		if err == nil {
			t.Errorf("%s: no error", tc.name)
			continue
		}
		for _, part := range tc.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q, want %q in it", tc.name, err, part)
			}
		}
		if tr.Steps() != 1 {
			t.Errorf("%s: there are now %d updates, want 1", tc.name, tr.Steps())
		}
	}
}

// Tensors and the number of updates are all that another optimiser of the same
// parameters needs to go on, bit by bit.
func TestTensorsAreTheState(t *testing.T) {
	st := readSteps(t)
	for name, rule := range st.rules() {
		tr := newTraining(t, start(t), st, torch.Float32, rule, optim.Options{})
		for step := range 2 {
			tr.step(t, step)
		}
		next := newTraining(t, tr.session, st, torch.Float32, rule, optim.Options{})
		err := tr.session.Do(t.Context(), func(s *torch.Scope) error {
			for i, to := range append(next.Tensors(), next.params...) {
				s.Run("aten::copy_", to, append(tr.Tensors(), tr.params...)[i], false)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		next.SetSteps(tr.Steps())
		tr.step(t, 2)
		next.step(t, 2)
		for i, w := range tr.weights(t) {
			if !slices.Equal(w, next.weights(t)[i]) {
				t.Errorf("%s: %s differs", name, st.Params[i].Name)
			}
		}
	}
}
