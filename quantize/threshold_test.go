package quantize

import (
	"math"
	"slices"
	"testing"
)

// Of 1 to 1000 the 99.9th percentile is 999, of 1000 numbers of which 900 are 0
// half are below 0.
func TestPercentile(t *testing.T) {
	x := make([]float32, 1000)
	for i := range x {
		x[i] = float32(i + 1)
	}
	sparse := slices.Concat(make([]float32, 900), x[900:])
	for _, tc := range []struct {
		name string
		x    []float32
		p    float64
		want float64
	}{
		{"largest", x, 100, 1000}, {"one in a thousand", x, 99.9, 999}, {"a tenth", x, 90, 900}, {"half", x, 50, 500},
		{"zeros count", sparse, 95, 950}, {"most are zero", sparse, 90, 0},
	} {
		h := histogramOf(t, tc.x)
		if got := percentile(tc.p)(h, 255); math.Abs(got-tc.want) > h.width {
			t.Errorf("%s: %v, want %v within %v", tc.name, got, tc.want, h.width)
		}
	}
}

// meanSquare is the error of rounding each element, the slow way.
func meanSquare(x []float32, t float64, steps int) float64 {
	sum, step := 0.0, t/float64(steps)
	for _, v := range x {
		a := math.Abs(float64(v))
		q := math.RoundToEven(a / step)
		if q > float64(steps) {
			q = float64(steps)
		}
		sum += (a - q*step) * (a - q*step)
	}
	return sum / float64(len(x))
}

// even are n numbers up to 1, at equal distances.
func even(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i+1) / float32(n)
	}
	return x
}

// The error of the threshold that the histogram gives is within 1 % of the least
// of 500 thresholds tried on the elements themselves.
func TestLeastSquares(t *testing.T) {
	heavy := normal(4, 20000, 1)
	for i := range heavy {
		heavy[i] *= heavy[i] * heavy[i] // a long tail
	}
	for _, tc := range []struct {
		name  string
		x     []float32
		steps int
		cut   bool // the best is below the largest magnitude
	}{
		{"normal", normal(3, 20000, 1), 127, true}, {"long tail", heavy, 127, true}, {"long tail, unsigned", heavy, 255, true},
		{"even", even(20000), 127, false},
	} {
		h := histogramOf(t, tc.x)
		got := leastSquares(h, tc.steps)
		least := math.Inf(1)
		for i := range 500 {
			least = min(least, meanSquare(tc.x, h.largest*float64(i+1)/500, tc.steps))
		}
		if e := meanSquare(tc.x, got, tc.steps); e > 1.01*least+1e-9 {
			t.Errorf("%s: threshold %v has error %v, the best %v", tc.name, got, e, least)
		}
		if tc.cut != (got < 0.999*h.largest) {
			t.Errorf("%s: threshold %v of %v", tc.name, got, h.largest)
		}
	}
}

// One view of a hundred has elements a hundred times as large: their mean squared
// error counts for all, but for a view as much as any other's.
func TestLeastOfViews(t *testing.T) {
	var views [][]float32
	for seed := range uint64(99) {
		views = append(views, normal(seed, 1000, 1))
	}
	views = append(views, normal(100, 1000, 100))
	h := histogramOf(t, views...)
	if got := leastSquares(h, 127); got < 100 {
		t.Errorf("threshold %v for all elements, want it among the largest", got)
	}
	if got := leastOfViews(h, 127); got < 2 || got > 20 {
		t.Errorf("threshold %v for each view, want not much more than the deviation of most, 1", got)
	}
	one := histogramOf(t, views[0])
	if a, b := leastSquares(one, 127), leastOfViews(one, 127); a != b {
		t.Errorf("of one view %v and %v", a, b)
	}
}

// By hand: of the counts 4 0 2 | 1 1 1 in two groups the first is shared by the
// bins that hold any, 3 and 3, the second stays.
func TestSpread(t *testing.T) {
	got, sum := spread([]int64{4, 0, 2, 1, 1, 1}, 2)
	if want := []float64{3, 0, 3, 1, 1, 1}; !slices.Equal(got, want) || sum != 9 {
		t.Errorf("%v of %v, want %v of 9", got, sum, want)
	}
}

// By hand: cut off behind two bins, 3 1 | 4 is the distribution 3/8, 5/8; the one
// level of what is left says 1/2, 1/2.
func TestDivergence(t *testing.T) {
	want := 3.0/8*math.Log(3.0/4) + 5.0/8*math.Log(5.0/4)
	if got := divergence([]int64{3, 1, 4}, 2, 1); math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	if got := divergence([]int64{3, 1, 4}, 3, 3); got != 0 {
		t.Errorf("%v with a level for each bin, want 0", got)
	}
}

// What is evenly spread is cut off nowhere; a lone element far out is.
func TestEntropy(t *testing.T) {
	if h := histogramOf(t, even(40960)); entropy(h, 127) < 0.99 {
		t.Errorf("threshold %v of even numbers up to %v", entropy(h, 127), h.largest)
	}
	h := histogramOf(t, normal(5, 100000, 1), []float32{60})
	if got := entropy(h, 127); got < 2 || got > 8 {
		t.Errorf("threshold %v of a normal distribution and one element at 60, want a few deviations", got)
	}
}

// A value that is always 0 has a scale all the same.
func TestScaleOfZeros(t *testing.T) {
	h := histogramOf(t, make([]float32, 10))
	for _, k := range candidates {
		if got := int8Of(h, k.threshold, true); got.Scale != 1 || !got.Signed {
			t.Errorf("%s: %+v", k.name, got)
		}
	}
	if got := int8Of(histogramOf(t, []float32{0, 51}), largest, false); got.Scale != 0.2 || got.Signed {
		t.Errorf("%+v, want 51/255", got)
	}
}
