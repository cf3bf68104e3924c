package main

import (
	"math"
	"testing"
)

// Student's data on the extra hours of sleep by two drugs ("The probable error
// of a mean", Biometrika 1908). R's t.test(extra ~ group, data = sleep, paired =
// TRUE) gives a mean of -1.58 and an interval from -2.459886 to -0.7001142.
func TestPairedInterval(t *testing.T) {
	one := []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0}
	two := []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
	diff := make([]float64, len(one))
	for i := range one {
		diff[i] = one[i] - two[i]
	}
	m, h := mean(diff), halfWidth(diff)
	for _, tc := range []struct{ got, want float64 }{{m, -1.58}, {m - h, -2.459886}, {m + h, -0.7001142}} {
		if math.Abs(tc.got-tc.want) > 2e-4 { // the table of t has three digits
			t.Errorf("got %v, want %v", tc.got, tc.want)
		}
	}
	if !math.IsInf(halfWidth(diff[:1]), 1) {
		t.Error("an interval from one number")
	}
}

// Binomial tails that can be counted: 2 (1 + 10) / 2^10, 2 (1 + 5) / 2^5, 2 / 2^6.
func TestSignTest(t *testing.T) {
	for _, tc := range []struct {
		won, lost int
		want      float64
	}{
		{9, 1, 22.0 / 1024}, {1, 9, 22.0 / 1024}, {4, 1, 12.0 / 32}, {0, 6, 2.0 / 64}, {3, 3, 1}, {0, 0, 1}, {1, 0, 1},
	} {
		if got := signTest(tc.won, tc.lost); math.Abs(got-tc.want) > 1e-12 {
			t.Errorf("%d won, %d lost: %v, want %v", tc.won, tc.lost, got, tc.want)
		}
	}
}
