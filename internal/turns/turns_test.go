package turns_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/pptsn/pptsn/internal/turns"
)

func TestOrder(t *testing.T) {
	for _, tc := range []struct {
		rounds, things int
		want           string
	}{
		{3, 3, "0a 0b 0c 1c 1b 1a 2a 2b 2c "},
		{2, 1, "0a 1a "},
		{0, 3, ""},
		{3, 0, ""},
	} {
		got := ""
		for round, i := range turns.Order(tc.rounds, tc.things) {
			got += fmt.Sprintf("%d%c ", round, 'a'+i)
		}
		if got != tc.want {
			t.Errorf("%d rounds of %d things: %s, want %s", tc.rounds, tc.things, got, tc.want)
		}
	}
	for range turns.Order(5, 5) { // ends when its reader does
		break
	}
}

// The quartiles are numpy.quantile's (method "linear").
func TestFigures(t *testing.T) {
	for _, tc := range []struct {
		samples              []float64
		first, median, third float64
		spread               float64 // in percent
	}{
		{[]float64{7}, 7, 7, 7, 0},
		{[]float64{3, 1}, 1.5, 2, 2.5, 25},
		{[]float64{4, 1, 3, 2}, 1.75, 2.5, 3.25, 30},
		{[]float64{10, 9, 11, 1000, 10}, 10, 10, 11, 5}, // one disturbed turn moves nothing
		{[]float64{8, 8, 8}, 8, 8, 8, 0},
	} {
		got := []float64{turns.Quantile(tc.samples, 0.25), turns.Median(tc.samples), turns.Quantile(tc.samples, 0.75), turns.Spread(tc.samples)}
		for i, want := range []float64{tc.first, tc.median, tc.third, tc.spread} {
			if math.Abs(got[i]-want) > 1e-12 {
				t.Errorf("%v: quartiles and spread %v, want %v", tc.samples, got, []float64{tc.first, tc.median, tc.third, tc.spread})
				break
			}
		}
	}
}

func TestRatios(t *testing.T) {
	if got := fmt.Sprint(turns.Ratios([]float64{6, 1}, []float64{2, 4})); got != "[3 0.25]" {
		t.Error(got)
	}
}
