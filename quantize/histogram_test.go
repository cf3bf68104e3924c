package quantize

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// counted are the elements of x in bins of that width, the slow way.
func counted(x []float32, width float64) []int64 {
	counts := make([]int64, bins)
	for _, v := range x {
		if v != 0 {
			counts[int(math.Floor(math.Abs(float64(v))/width))]++
		}
	}
	return counts
}

func normal(seed uint64, n int, deviation float64) []float32 {
	rng, x := rand.New(rand.NewPCG(seed, 0)), make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64() * deviation)
	}
	return x
}

func histogramOf(t *testing.T, parts ...[]float32) *histogram {
	t.Helper()
	h := &histogram{}
	for _, x := range parts {
		if err := h.add(x); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// Whatever comes first, the counts are those of all elements at once.
func TestHistogramGrows(t *testing.T) {
	small, large := normal(1, 5000, 0.01), normal(2, 5000, 3)
	small = append(small, 0, 0, float32(math.Copysign(0, -1)))
	all := slices.Concat(small, large)
	whole := histogramOf(t, all)
	if want := counted(all, whole.width); !slices.Equal(whole.counts, want) || whole.zeros != 3 || whole.total != 10003 {
		t.Errorf("%d elements, %d of them zeros, counted wrongly", whole.total, whole.zeros)
	}
	merged, other := histogramOf(t, large), histogramOf(t, small)
	merged.merge(other)
	other.merge(histogramOf(t, large))
	for name, h := range map[string]*histogram{
		"small first": histogramOf(t, small, large), "large first": histogramOf(t, large, small),
		"merged": merged, "merged the other way": other,
	} {
		if h.width != whole.width || h.largest != whole.largest || h.zeros != whole.zeros || h.total != whole.total || !slices.Equal(h.counts, whole.counts) {
			t.Errorf("%s: bins of %v with %d elements to %v, want %v, %d, %v, or other counts",
				name, h.width, h.total, h.largest, whole.width, whole.total, whole.largest)
		}
	}
	if n := len(whole.used()); n <= bins/2 || n > bins {
		t.Errorf("%d bins used of %d", n, bins)
	}
}

func TestHistogramOfPowers(t *testing.T) {
	h := histogramOf(t, []float32{1}, []float32{2}, []float32{4, -4}) // each on the edge of the range before
	if h.largest != 4 || h.counts[int(4/h.width)] != 2 || h.counts[int(1/h.width)] != 1 {
		t.Errorf("range to %v in bins of %v", h.largest, h.width)
	}
}

func TestHistogramOfNothing(t *testing.T) {
	h := histogramOf(t, []float32{0, 0}, nil)
	if h.total != 2 || h.used() != nil {
		t.Errorf("%d elements, %d bins", h.total, len(h.used()))
	}
	h.merge(histogramOf(t, []float32{0}))
	h.merge(histogramOf(t, []float32{3}))
	if h.total != 4 || h.zeros != 3 || h.largest != 3 {
		t.Errorf("%+v after merging", h)
	}
}

func TestHistogramOfDamage(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		h := &histogram{}
		if err := h.add([]float32{1, float32(bad), 2}); !errors.Is(err, errNotFinite) {
			t.Errorf("%v: error %v", bad, err)
		}
	}
}
