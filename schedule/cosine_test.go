package schedule_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/pptsn/pptsn/schedule"
)

// The expected rates are those of testdata/rates.py, an epoch at a time.
func TestEveryEpoch(t *testing.T) {
	data, err := os.ReadFile("testdata/rates.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Base, Min, Constant, Start, End float64
			Period, Warmup                  int
			Rates                           []float64
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	const iters = 3
	for _, tc := range file.Cases {
		spec := schedule.LearningRate{Constant: tc.Constant}
		if tc.Period > 0 {
			spec.Cosine = &schedule.Cosine{Base: tc.Base, Period: tc.Period, Min: tc.Min}
		}
		if tc.Warmup > 0 {
			spec = schedule.LearningRate{LinearWarmup: &schedule.LinearWarmup{Epochs: tc.Warmup, Start: tc.Start, End: tc.End, After: spec}}
		}
		name := fmt.Sprintf("cosine of %d epochs from %v to %v, warm-up %d", tc.Period, tc.Base, tc.Min, tc.Warmup)
		s := newSchedule(t, spec, iters)
		for epoch, want := range tc.Rates {
			for iter := epoch * iters; iter < (epoch+1)*iters; iter++ {
				if got := s.At(iter); math.Abs(got-want) > 1e-12 || float32(got) != float32(want) {
					t.Errorf("%s: rate in iteration %d (epoch %d) is %v, want %v", name, iter, epoch, got, want)
				}
			}
			if got := s.Position(epoch * iters); got != float64(epoch) {
				t.Errorf("%s: position %v in epoch %d", name, got, epoch)
			}
		}
	}
}

// The cosine touches its lowest rate after a period and is back after two.
func TestCosineTurns(t *testing.T) {
	s := newSchedule(t, schedule.LearningRate{Cosine: &schedule.Cosine{Base: 0.5, Period: 20, Min: 0.1}}, 1)
	for epoch, want := range map[int]float64{0: 0.5, 10: 0.3, 20: 0.1, 30: 0.3, 40: 0.5, 60: 0.1} {
		if got := s.At(epoch); math.Abs(got-want) > 1e-12 {
			t.Errorf("rate in epoch %d is %v, want %v", epoch, got, want)
		}
	}
}
