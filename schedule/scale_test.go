package schedule_test

import (
	"math"
	"testing"

	"github.com/pptsn/pptsn/schedule"
)

// Behind the warm-up a rate is k times what it was, at its beginning the same;
// the specification it was made from stays as it is.
func TestTimes(t *testing.T) {
	cosine := schedule.LearningRate{Cosine: &schedule.Cosine{Base: 0.5, Period: 20, Min: 0.1}}
	for name, tc := range map[string]struct {
		rate  schedule.LearningRate
		begin float64 // of the scaled one, as a multiple
	}{
		"constant":        {schedule.LearningRate{Constant: 0.3}, 4},
		"piecewise":       {schedule.LearningRate{Piecewise: &schedule.Piecewise{Boundaries: []int{2}, Values: []float64{0.1, 0.01}}}, 4},
		"cosine":          {cosine, 4},
		"warm-up, cosine": {schedule.LearningRate{WarmupCosine: &schedule.WarmupCosine{Start: 0.001, WarmupEpochs: 2, Base: 0.01, Epochs: 10}}, 1},
		"linear warm-up":  {schedule.LearningRate{LinearWarmup: &schedule.LinearWarmup{Epochs: 2, Start: 0.05, End: 0.5, After: cosine}}, 1},
	} {
		one, four := newSchedule(t, tc.rate, 3), newSchedule(t, tc.rate.Times(4), 3)
		for _, at := range []struct {
			iter int
			want float64
		}{{0, tc.begin}, {9, 4}, {20, 4}} {
			if got, want := four.At(at.iter), at.want*one.At(at.iter); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: iteration %d: %v, want %v", name, at.iter, got, want)
			}
		}
		if again := newSchedule(t, tc.rate, 3); again.At(9) != one.At(9) {
			t.Errorf("%s: the rate it was made from has changed", name)
		}
	}
}
