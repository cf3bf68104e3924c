package train

import (
	"math"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// The reference's GradScaler begins at 2^16, doubles after 2000 good updates in
// a row and halves after each bad one, not below 1.
func TestScalerAdjusts(t *testing.T) {
	c := NewScaler()
	if c.Scale != 65536 {
		t.Errorf("begins at %v, want 65536", c.Scale)
	}
	adjust := func(ok bool, times int, scale float64) {
		t.Helper()
		for range times {
			c.adjust(ok)
		}
		if c.Scale != scale {
			t.Errorf("scale is %v, want %v", c.Scale, scale)
		}
	}
	adjust(true, 1999, 65536)
	adjust(true, 1, 131072)
	adjust(true, 1999, 131072)
	adjust(false, 1, 65536) // and counts anew
	adjust(true, 1999, 65536)
	adjust(true, 1, 131072)
	adjust(false, 30, 1)
}

func TestScalerUnscales(t *testing.T) {
	err := start(t).Do(t.Context(), func(s *torch.Scope) error {
		for _, tc := range []struct {
			name string
			bad  float32
			ok   bool
		}{{"numbers", 4, true}, {"infinity", float32(math.Inf(-1)), false}, {"no number", float32(math.NaN()), false}} {
			c := &Scaler{Scale: 8}
			grads := []torch.Tensor{
				s.From(tensor.FromFloat32([]float32{1, 2}, 2)), s.From(tensor.FromFloat32([]float32{tc.bad}, 1)),
			}
			if ok := c.unscale(s, grads); ok != tc.ok {
				t.Errorf("%s: good: %v", tc.name, ok)
			}
			if want := map[bool]float64{true: 8, false: 4}[tc.ok]; c.Scale != want {
				t.Errorf("%s: scale is %v, want %v", tc.name, c.Scale, want)
			}
			if g := s.Float32s(grads[0]); tc.ok && !slices.Equal(g, []float32{0.125, 0.25}) {
				t.Errorf("%s: gradients are %v, want an eighth", tc.name, g)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A learner with a scaler leaves out updates that overflow, and does otherwise
// what it would do without: powers of 2 change no digit. Float16 itself needs a
// GPU; float32 overflows just as well.
func TestScaledLearner(t *testing.T) {
	n, session := newTiny(false), start(t)
	scaled, plain := n.learner(t, session, n.w, LearnerOptions{}), n.learner(t, session, n.w, LearnerOptions{})
	scaled.scaler = NewScaler()
	teach(t, scaled, 0.1, n.batch(1, 4))
	teach(t, plain, 0.1, n.batch(1, 4))
	same(t, "with a scale", weights(t, scaled), weights(t, plain))

	scaled.scaler.Scale = 1 << 130 // more than float32 holds
	steps := scaled.Optimizer().Steps()
	for range 2 { // still too much
		out, err := scaled.Accumulate(t.Context(), n.batch(2, 4))
		if err != nil {
			t.Fatal(err)
		}
		if updated, err := scaled.Update(t.Context(), 0.1); updated || err != nil {
			t.Fatalf("updated: %v (%v) with loss %v times %v", updated, err, out.Loss, scaled.scaler.Scale)
		}
	}
	if scaled.scaler.Scale != 1<<128 || scaled.Optimizer().Steps() != steps {
		t.Errorf("scale is %v after %d steps, want 2^128 after %d", scaled.scaler.Scale, scaled.Optimizer().Steps(), steps)
	}
	after := weights(t, scaled)
	for _, p := range n.rules {
		if want := weights(t, plain)[p.Name]; !slices.Equal(after[p.Name].Data, want.Data) {
			t.Errorf("%s was changed by an update that overflowed", p.Name)
		}
	}
	scaled.scaler.Scale = 1 << 10
	if err := plain.SetWeights(t.Context(), after); err != nil { // running statistics went on
		t.Fatal(err)
	}
	teach(t, scaled, 0.1, n.batch(3, 4))
	teach(t, plain, 0.1, n.batch(3, 4))
	same(t, "after updates that were left out", weights(t, scaled), weights(t, plain))
}
