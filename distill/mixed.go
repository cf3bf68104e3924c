package distill

import "math"

// Mixed are the scores of a clip that is lambda of one and 1-lambda of another,
// of which the scores a and b [K] are known: the logarithms of the mixture of
// both distributions, so that their softmax is the mixture. (Zhang et al.,
// "mixup", 2018, mix labels so.) The result is appended to dst.
func Mixed(dst []float32, a, b []float32, lambda float64) []float32 {
	la, lb := logSum(a), logSum(b)
	logA, logB := math.Log(lambda), math.Log(1-lambda)
	for i := range a {
		dst = append(dst, float32(logAdd(logA+float64(a[i])-la, logB+float64(b[i])-lb)))
	}
	return dst
}

// logSum is log(sum(exp(x))).
func logSum(x []float32) float64 {
	most, sum := math.Inf(-1), 0.0
	for _, v := range x {
		most = max(most, float64(v))
	}
	for _, v := range x {
		sum += math.Exp(float64(v) - most)
	}
	return most + math.Log(sum)
}

// logAdd is log(exp(x) + exp(y)), where one may be minus infinity.
func logAdd(x, y float64) float64 {
	if x < y {
		x, y = y, x
	}
	return x + math.Log1p(math.Exp(y-x))
}
