package dataset

import (
	"math"
	"math/rand/v2"
)

// beta draws from Beta(a, a): the share of one of two Gamma(a) variates in
// their sum. Logarithms keep small a from giving 0/0.
func beta(rng *rand.Rand, a float64) float64 {
	x, y := logGamma(rng, a), logGamma(rng, a)
	return 1 / (1 + math.Exp(y-x))
}

// logGamma draws the logarithm of a Gamma(a) variate: G. Marsaglia, W. W. Tsang,
// A Simple Method for Generating Gamma Variables (2000), for a+1, and
// Gamma(a) = Gamma(a+1) * U^(1/a) (section 6 there).
func logGamma(rng *rand.Rand, a float64) float64 {
	d := a + 1 - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := 1 - rng.Float64() // in (0, 1]
		if math.Log(u) < x*x/2+d*(1-v+math.Log(v)) {
			return math.Log(d*v) + math.Log(1-rng.Float64())/a
		}
	}
}
