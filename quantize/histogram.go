package quantize

import (
	"errors"
	"math"
)

// bins is how many bins a histogram has; at least half of them lie below the
// largest magnitude. There are so many because that may be a hundred times what
// is common.
const bins = 1 << 14

var errNotFinite = errors.New("an element that is not a finite number")

// A histogram counts the magnitudes of a value's elements. Its range doubles as
// larger ones come. Zeros, which any scale holds exactly, are counted apart.
type histogram struct {
	counts  []int64   // bin i: magnitudes from i*width up to (i+1)*width, exclusive
	shares  []float64 // the same elements, each over the mean square of its view
	width   float64   // a power of two, so that bins of two histograms lie on each other; 0 before the first magnitude
	zeros   int64
	total   int64 // elements, zeros too
	largest float64
}

// add counts x, which is of one view.
func (h *histogram) add(x []float32) error {
	most, squares := float32(0), 0.0
	for _, v := range x {
		most = max(most, float32(math.Abs(float64(v)))) // NaN if one is
		squares += float64(v) * float64(v)
	}
	if math.IsNaN(float64(most)) || math.IsInf(float64(most), 0) {
		return errNotFinite
	}
	h.total += int64(len(x))
	if most == 0 {
		h.zeros += int64(len(x))
		return nil
	}
	h.cover(float64(most))
	perWidth, share := 1/h.width, float64(len(x))/squares
	for _, v := range x {
		if v == 0 {
			h.zeros++
			continue
		}
		bin := int(math.Abs(float64(v)) * perWidth)
		h.counts[bin]++
		h.shares[bin] += share
	}
	return nil
}

// cover widens the bins until a magnitude above 0 has one.
func (h *histogram) cover(most float64) {
	h.largest = max(h.largest, most)
	if h.width == 0 {
		_, exponent := math.Frexp(most) // most is below 2^exponent
		h.counts, h.shares, h.width = make([]int64, bins), make([]float64, bins), math.Ldexp(1, exponent)/bins
		return
	}
	for most >= bins*h.width {
		h.widen()
	}
}

// widen doubles the width of the bins.
func (h *histogram) widen() {
	for i := range bins / 2 {
		h.counts[i] = h.counts[2*i] + h.counts[2*i+1]
		h.shares[i] = h.shares[2*i] + h.shares[2*i+1]
	}
	clear(h.counts[bins/2:])
	clear(h.shares[bins/2:])
	h.width *= 2
}

// merge counts what o has counted.
func (h *histogram) merge(o *histogram) {
	h.total += o.total
	h.zeros += o.zeros
	if o.width == 0 {
		return
	}
	h.cover(o.largest)
	for h.width < o.width {
		h.widen()
	}
	ratio := int(h.width / o.width)
	for i, n := range o.counts {
		h.counts[i/ratio] += n
		h.shares[i/ratio] += o.shares[i]
	}
}

// used are the bins up to the one of the largest magnitude.
func (h *histogram) used() []int64 { return h.counts[:h.end()] }

func (h *histogram) end() int {
	if h.width == 0 {
		return 0
	}
	return int(h.largest/h.width) + 1
}
