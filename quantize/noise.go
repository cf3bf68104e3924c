package quantize

import "math"

// mostDB is the ratio that is said where there is no error at all, in decibels.
const mostDB = 200

// A noise sums squares: of what should be, and of how far it is from that.
type noise struct{ signal, error float64 }

func (n *noise) add(got, want []float32) {
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		n.signal += float64(w) * float64(w)
		n.error += d * d
	}
}

// db is the signal-to-noise ratio in decibels, at most mostDB.
func (n noise) db() float64 {
	switch {
	case n.error == 0:
		return mostDB
	case n.signal == 0:
		return 0
	}
	return min(10*math.Log10(n.signal/n.error), mostDB)
}

// relative is the root of the error over the root of the signal.
func (n noise) relative() float64 {
	switch {
	case n.error == 0:
		return 0
	case n.signal == 0:
		return 1
	}
	return math.Sqrt(n.error / n.signal)
}
