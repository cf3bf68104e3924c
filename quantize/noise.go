package quantize

import "math"

// mostDB is the ratio that is said where there is no error at all, in decibels.
const mostDB = 200

// A noise is how far values are from what they should be: the mean over views of
// a view's squared error relative to its squares. Of all elements together a few
// views with far larger ones than the others would decide alone.
type noise struct {
	ratios float64 // summed
	views  int
}

// add compares one view.
func (n *noise) add(got, want []float32) {
	signal, wrong := 0.0, 0.0
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		signal += float64(w) * float64(w)
		wrong += d * d
	}
	n.views++
	switch {
	case wrong == 0:
	case signal == 0:
		n.ratios++
	default:
		n.ratios += wrong / signal
	}
}

// db is the signal-to-noise ratio in decibels, at most mostDB.
func (n noise) db() float64 {
	if n.ratios == 0 {
		return mostDB
	}
	return min(-10*math.Log10(n.ratios/float64(n.views)), mostDB)
}

// relative is the root of the mean ratio.
func (n noise) relative() float64 { return math.Sqrt(n.ratios / float64(max(n.views, 1))) }
