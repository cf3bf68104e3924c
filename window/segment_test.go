package window_test

import (
	"math"
	"testing"
	"time"

	"github.com/pptsn/pptsn/window"
)

// What becomes of windows' probabilities, worked out by hand.
func TestMerger(t *testing.T) {
	type win struct {
		start, end time.Duration
		p          []float64
	}
	for _, tc := range []struct {
		name   string
		stride time.Duration
		in     []win
		want   []window.Segment
	}{
		{"one window", s, []win{{0, 3 * s, []float64{0.25, 0.75}}}, []window.Segment{{0, 3 * s, 1, 0.75}}},
		{"side by side", 2 * s,
			[]win{{0, 2 * s, []float64{0.75, 0.25}}, {2 * s, 4 * s, []float64{0.5, 0.5}}, {4 * s, 5 * s, []float64{0.25, 0.75}}},
			[]window.Segment{{0, 4 * s, 0, 0.625}, {4 * s, 5 * s, 1, 0.75}}}, // of equal ones the first
		{"the last slot is short: it weighs less", 2 * s,
			[]win{{0, 2 * s, []float64{1, 0}}, {2 * s, 3 * s, []float64{0.7, 0.3}}},
			[]window.Segment{{0, 3 * s, 0, 0.9}}}, // (2*1 + 1*0.7)/3
		{"overlap: the surer window decides", 2 * s,
			[]win{{0, 4 * s, []float64{0.9, 0.1}}, {2 * s, 6 * s, []float64{0.2, 0.8}}},
			[]window.Segment{{0, 4 * s, 0, (0.9 + 0.55) / 2}, {4 * s, 6 * s, 1, 0.8}}}, // from 2 s on 1.1 against 0.9
		{"a window that covers half of a slot has half a vote", 2 * s,
			[]win{{0, 3 * s, []float64{1, 0}}, {2 * s, 5 * s, []float64{0.2, 0.8}}},
			[]window.Segment{{0, 2 * s, 0, 1}, {2 * s, 5 * s, 1, (1.6/3*2 + 0.8) / 3}}}, // from 2 s on 1*1 + 2*0.2 against 2*0.8, in 3 s
		{"a gap between equal ones is bridged, others leave it", 3 * s,
			[]win{{0, 1 * s, []float64{1, 0}}, {3 * s, 4 * s, []float64{0.8, 0.2}}, {6 * s, 7 * s, []float64{0, 1}}},
			[]window.Segment{{0, 4 * s, 0, 0.9}, {6 * s, 7 * s, 1, 1}}},
	} {
		m := window.NewMerger(tc.stride)
		for i, w := range tc.in {
			m.Add(window.Window{Index: i, Start: w.start, End: w.end}, w.p)
		}
		got := m.Finish()
		ok := len(got) == len(tc.want)
		for i := 0; ok && i < len(got); i++ {
			g, w := got[i], tc.want[i]
			ok = g.Start == w.Start && g.End == w.End && g.Class == w.Class && math.Abs(g.Score-w.Score) < 1e-12
		}
		if !ok {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	if got := window.NewMerger(s).Finish(); len(got) != 0 {
		t.Errorf("no windows gave %v", got)
	}
}
