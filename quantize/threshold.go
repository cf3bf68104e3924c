package quantize

import "math"

// A threshold is the magnitude that the last of a number of steps above zero
// stands for; what is larger is cut off. It is 0 of a value without elements
// other than 0.
type threshold func(h *histogram, steps int) float64

// largest cuts off nothing.
func largest(h *histogram, _ int) float64 { return h.largest }

// percentile is the threshold under which that many of 100 elements lie.
func percentile(p float64) threshold {
	return func(h *histogram, _ int) float64 {
		want, below := float64(h.total)*p/100, float64(h.zeros)
		for i, n := range h.used() {
			if below += float64(n); below >= want {
				return min(float64(i+1)*h.width, h.largest)
			}
		}
		return h.largest
	}
}

// leastSquares makes the mean squared error of rounding and cutting off least.
func leastSquares(h *histogram, steps int) float64 {
	weights := make([]float64, h.end())
	for i, n := range h.used() {
		weights[i] = float64(n)
	}
	return leastError(h, weights, steps)
}

// leastOfViews makes the mean over the views of their squared error, relative to
// their squares, least. So a few views with far larger elements than the others
// do not decide alone.
func leastOfViews(h *histogram, steps int) float64 { return leastError(h, h.shares[:h.end()], steps) }

func leastError(h *histogram, weights []float64, steps int) float64 {
	best, least := h.largest, math.Inf(1)
	for t := h.largest; t > h.largest/1024 && h.width > 0; t *= 0.98 {
		if e := squaredError(weights, h.width, t, steps); e < least {
			best, least = t, e
		}
	}
	return best
}

// squaredError sums the squared errors of elements in bins, each taken for the
// middle of its bin.
func squaredError(weights []float64, width, t float64, steps int) float64 {
	step, sum := t/float64(steps), 0.0
	for i, n := range weights {
		x := (float64(i) + 0.5) * width
		d := x - min(math.RoundToEven(x/step), float64(steps))*step
		sum += n * d * d
	}
	return sum
}
