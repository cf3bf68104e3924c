package schedule_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/internal/parity"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/schedule"
)

// given is a schedule as the reference's configuration writes it.
type given struct {
	Name       string
	Start      float64 `json:"warmup_start_lr"`
	Warmup     float64 `json:"warmup_epochs"`
	Base       float64 `json:"cosine_base_lr"`
	Epochs     float64 `json:"max_epoch"`
	Boundaries []int
	Values     []float64
}

func (g given) spec(t *testing.T) schedule.LearningRate {
	switch g.Name {
	case "CustomWarmupCosineDecay":
		return schedule.LearningRate{WarmupCosine: &schedule.WarmupCosine{
			Start: g.Start, WarmupEpochs: g.Warmup, Base: g.Base, Epochs: g.Epochs,
		}}
	case "PiecewiseDecay", "CustomPiecewiseDecay":
		return schedule.LearningRate{Piecewise: &schedule.Piecewise{
			Boundaries: g.Boundaries, Values: g.Values, PerIteration: g.Name == "CustomPiecewiseDecay",
		}}
	}
	t.Fatalf("schedule %q", g.Name)
	return schedule.LearningRate{}
}

type kitCase struct {
	Name   string
	Config given
	Iters  int          `json:"num_iters"`
	Rows   [][4]float64 // iteration, epoch, rate, position
}

func kitCases(t *testing.T) []kitCase {
	var kit struct{ Cases []kitCase }
	parity.Open(t).Read(t, "lr.json", &kit)
	if len(kit.Cases) < 5 {
		t.Fatalf("%d cases", len(kit.Cases))
	}
	return kit.Cases
}

func TestParity(t *testing.T) {
	for _, tc := range kitCases(t) {
		s := newSchedule(t, tc.Config.spec(t), tc.Iters)
		for _, row := range tc.Rows {
			iter, rate, position := int(row[0]), row[2], row[3]
			if got := s.Position(iter); got != position {
				t.Errorf("%s: position in iteration %d is %v, want %v", tc.Name, iter, got, position)
			}
			got := s.At(iter)
			if math.Abs(got-rate) > 1e-12 {
				t.Errorf("%s: rate in iteration %d is %v, want %v", tc.Name, iter, got, rate)
			}
			if float32(got) != float32(rate) {
				t.Errorf("%s: rate in iteration %d is %v as float32, want %v", tc.Name, iter, float32(got), float32(rate))
			}
		}
	}
}

// Whatever was asked before, and by whom, an iteration has one rate.
func TestConcurrentAnyOrder(t *testing.T) {
	spec := schedule.LearningRate{WarmupCosine: &schedule.WarmupCosine{Start: 0.005, WarmupEpochs: 10, Base: 0.01, Epochs: 100}}
	const iters, total = 37, 3700
	ascending := newSchedule(t, spec, iters)
	want := make([]float64, total)
	position := 0.0
	for i := range want {
		want[i] = ascending.At(i)
		if got := ascending.Position(i); got != position {
			t.Fatalf("position in iteration %d is %v, want the repeated sum %v", i, got, position)
		}
		position += 1 / float64(iters)
	}
	shared := newSchedule(t, spec, iters)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for _, i := range rand.New(rand.NewPCG(1, uint64(g))).Perm(total) {
				if got := shared.At(i); got != want[i] {
					t.Errorf("rate in iteration %d is %v, want %v", i, got, want[i])
					return
				}
			}
		})
	}
	wg.Wait()
	for _, i := range []int{total - 1, 0, 256, 255} { // resumed: nothing was asked before
		if got := newSchedule(t, spec, iters).At(i); got != want[i] {
			t.Errorf("rate in iteration %d is %v when asked first, want %v", i, got, want[i])
		}
	}
}

func TestConstant(t *testing.T) {
	s := newSchedule(t, schedule.LearningRate{Constant: 0.25}, 3)
	for _, i := range []int{0, 1, 1000} {
		if s.At(i) != 0.25 {
			t.Errorf("rate in iteration %d is %v", i, s.At(i))
		}
	}
	if s.State(5) != nil {
		t.Error("a constant has no state")
	}
}

// A file that PaddleX wrote after 1260 steps, of which 1000 were warm-up.
func TestStateOfRealFile(t *testing.T) {
	path := filepath.Join(testdata.Shared(t), "data", "paddle", "yolo-mobilenetv3-paddlex", "model.pdopt")
	f, err := pdparams.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stored, _ := f.Values().Get("LR_Scheduler")
	s := newSchedule(t, schedule.LearningRate{LinearWarmup: &schedule.LinearWarmup{
		Epochs: 1000, Start: 0, End: 0.005,
		After: schedule.LearningRate{Piecewise: &schedule.Piecewise{Boundaries: []int{5000}, Values: []float64{0.005, 0.0005}}},
	}}, 1)
	if got, want := fmt.Sprint(dict(s.State(1260))), fmt.Sprint(plain(stored)); got != want {
		t.Errorf("state %s, want %s", got, want)
	}
}

// dict writes a state as the dict that Paddle stores.
func dict(s *schedule.State) map[string]any {
	d := map[string]any{"last_epoch": s.Position, "last_lr": s.Rate}
	if !s.Fractional {
		d["last_epoch"] = int64(s.Position)
	}
	if s.After != nil {
		d["LinearWarmup_LR"] = dict(s.After)
	}
	return d
}

func plain(v any) any {
	d, ok := v.(*pdparams.Dict)
	if !ok {
		return v
	}
	m := map[string]any{}
	for k, v := range d.All() {
		m[k.(string)] = plain(v)
	}
	return m
}

func TestStates(t *testing.T) {
	cosine := &schedule.WarmupCosine{Start: 0.1, WarmupEpochs: 1, Base: 1, Epochs: 4}
	piecewise := &schedule.Piecewise{Boundaries: []int{2}, Values: []float64{1, 0.5}}
	for _, tc := range []struct {
		spec schedule.LearningRate
		iter int
		want schedule.State
	}{
		{schedule.LearningRate{WarmupCosine: cosine}, 0, schedule.State{Rate: 0.1}},
		{schedule.LearningRate{WarmupCosine: cosine}, 6, schedule.State{Position: 1.5, Fractional: true, Rate: (math.Cos(math.Pi*3/8) + 1) / 2}},
		{schedule.LearningRate{Piecewise: piecewise}, 7, schedule.State{Position: 1, Rate: 1}},
		{schedule.LearningRate{Piecewise: piecewise}, 8, schedule.State{Position: 2, Rate: 0.5}},
		{schedule.LearningRate{LinearWarmup: &schedule.LinearWarmup{Epochs: 2, End: 1, After: schedule.LearningRate{Constant: 3}}}, 8,
			schedule.State{Position: 2, Rate: 3}},
		{schedule.LearningRate{LinearWarmup: &schedule.LinearWarmup{Epochs: 4, End: 1, After: schedule.LearningRate{Piecewise: piecewise}}}, 8,
			schedule.State{Position: 2, Rate: 0.5, After: &schedule.State{Rate: 1}}},
	} {
		if got := newSchedule(t, tc.spec, 4).State(tc.iter); !reflect.DeepEqual(*got, tc.want) {
			t.Errorf("state in iteration %d is %+v, want %+v", tc.iter, *got, tc.want)
		}
	}
}

func TestErrors(t *testing.T) {
	piecewise := func(b []int, v ...float64) schedule.LearningRate {
		return schedule.LearningRate{Piecewise: &schedule.Piecewise{Boundaries: b, Values: v}}
	}
	warmup := func(after schedule.LearningRate) schedule.LearningRate {
		return schedule.LearningRate{LinearWarmup: &schedule.LinearWarmup{Epochs: 1, End: 1, After: after}}
	}
	perIteration := piecewise([]int{1}, 1, 0.1)
	perIteration.Piecewise.PerIteration = true
	for _, tc := range []struct {
		spec  schedule.LearningRate
		iters int
		want  string
	}{
		{schedule.LearningRate{Constant: 1}, 0, "0 iterations in an epoch"},
		{schedule.LearningRate{Constant: math.NaN()}, 1, "rate NaN"},
		{schedule.LearningRate{Constant: -1}, 1, "rate -1"},
		{piecewise([]int{2, 1}, 1, 1, 1), 1, "ascending"},
		{piecewise([]int{2}, 1), 1, "1 values for 1 boundaries"},
		{piecewise([]int{2}, 1, math.Inf(1)), 1, "rate +Inf"},
		{schedule.LearningRate{Cosine: &schedule.Cosine{Base: 1}}, 1, "cosine of 0 epochs"},
		{schedule.LearningRate{WarmupCosine: &schedule.WarmupCosine{Base: 1}}, 1, "cosine of 0 epochs"},
		{schedule.LearningRate{WarmupCosine: &schedule.WarmupCosine{WarmupEpochs: 2, Epochs: 1}}, 1, "warm-up of 2 epochs: want from 0 to all 1"},
		{schedule.LearningRate{LinearWarmup: &schedule.LinearWarmup{End: 1}}, 1, "linear warm-up of 0 epochs"},
		{warmup(perIteration), 1, "advances every epoch"},
		{warmup(warmup(schedule.LearningRate{})), 1, "advances every epoch"},
		{warmup(schedule.LearningRate{Constant: -2}), 1, "rate -2"},
		{schedule.LearningRate{Cosine: &schedule.Cosine{Period: 1}, Piecewise: &schedule.Piecewise{}}, 1, "several"},
	} {
		_, err := schedule.New(tc.spec, tc.iters)
		if err == nil || !strings.HasPrefix(err.Error(), "schedule: ") || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want one with %q", err, tc.want)
		}
	}
}

func newSchedule(t *testing.T, spec schedule.LearningRate, iters int) *schedule.Schedule {
	t.Helper()
	s, err := schedule.New(spec, iters)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func BenchmarkAscending(b *testing.B) {
	s, err := schedule.New(schedule.LearningRate{WarmupCosine: &schedule.WarmupCosine{Base: 1, Epochs: 100}}, 10000)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		s.At(i)
	}
}
