package distill_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/distill"
)

func TestValidate(t *testing.T) {
	ce := distill.Term{Kind: distill.CE, Of: "Student", To: distill.GroundTruth, Weight: 1}
	kd := distill.Term{Kind: distill.KD, Of: "Student", To: "Teacher", Weight: 1, Temperature: 4, Alpha: 0.9}
	with := func(t distill.Term, change func(*distill.Term)) distill.Term { change(&t); return t }
	for _, tc := range []struct {
		term distill.Term
		want string // "" if it is valid
	}{
		{ce, ""}, {kd, ""}, {dml(distill.Softmax, 1), ""}, {dml(distill.Sigmoid, 0), ""}, {dml(distill.Linear, 1), ""},
		{with(ce, func(t *distill.Term) { t.Smoothing = 0.1 }), ""},
		{with(ce, func(t *distill.Term) { t.Kind = "L2" }), "no such loss"},
		{with(ce, func(t *distill.Term) { t.Of = distill.GroundTruth }), "first in the pair"},
		{with(ce, func(t *distill.Term) { t.To = "Teacher" }), distill.GroundTruth},
		{with(ce, func(t *distill.Term) { t.Weight = -1 }), "a weight of -1"},
		{with(ce, func(t *distill.Term) { t.Weight = math.NaN() }), "a weight of NaN"},
		{with(ce, func(t *distill.Term) { t.Smoothing = 1 }), "smoothing of 1"},
		{with(kd, func(t *distill.Term) { t.Temperature = 0 }), "temperature of 0"},
		{with(kd, func(t *distill.Term) { t.Temperature = math.Inf(1) }), "temperature of +Inf"},
		{with(kd, func(t *distill.Term) { t.Alpha = 1.5 }), "alpha of 1.5"},
		{with(kd, func(t *distill.Term) { t.To = distill.GroundTruth }), "two networks"},
		{with(kd, func(t *distill.Term) { t.To = "Student" }), "two networks"},
		{dml("tanh", 1), `act "tanh"`},
		{with(dml(distill.Softmax, 1), func(t *distill.Term) { t.Epsilon = math.NaN() }), "epsilon of NaN"},
	} {
		err := tc.term.Validate()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: error is %v, want %q", tc.term, err, tc.want)
		}
	}
	if got := dml(distill.Softmax, 1).Learns(); !slices.Equal(got, []string{"Student", "Teacher"}) {
		t.Errorf("DML teaches %v", got)
	}
	if got := kd.Learns(); !slices.Equal(got, []string{"Student"}) {
		t.Errorf("KD teaches %v", got)
	}
}

// The softmax of mixed scores is the mixture of the softmaxes, also where one
// has classes of no probability to speak of.
func TestMixed(t *testing.T) {
	a, b := []float32{2, -1, 0.5, -300}, []float32{-800, 900, 3, 3}
	for _, lambda := range []float64{0, 0.25, 0.5, 1} {
		got := softmax(distill.Mixed(nil, a, b, lambda))
		p, q := softmax(a), softmax(b)
		for i := range got {
			if want := lambda*p[i] + (1-lambda)*q[i]; !(math.Abs(got[i]-want) <= 1e-6) {
				t.Errorf("lambda %v: class %d has %v, want %v", lambda, i, got[i], want)
			}
		}
	}
	if got := distill.Mixed([]float32{7}, a, b, 0.5); len(got) != 5 || got[0] != 7 {
		t.Errorf("appended: %v", got)
	}
	for i, v := range distill.Mixed(nil, a, b, 1) {
		if math.IsInf(float64(v), 0) {
			t.Errorf("the logarithm of class %d is %v", i, v)
		}
	}
}

func softmax(x []float32) []float64 {
	most, sum := float64(slices.Max(x)), 0.0
	p := make([]float64, len(x))
	for i, v := range x {
		p[i] = math.Exp(float64(v) - most)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}
