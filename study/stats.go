package main

import "math"

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// deviation is the standard deviation of a sample, 0 of a single number.
func deviation(x []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(x)-1))
}

// student are the 97.5 % points of Student's t for 1, 2, ... degrees of freedom.
var student = [...]float64{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262}

// halfWidth is half of the 95 % interval of the mean, infinite if there are
// fewer than two numbers. There are at most ten.
func halfWidth(x []float64) float64 {
	if len(x) < 2 {
		return math.Inf(1)
	}
	return student[len(x)-2] * deviation(x) / math.Sqrt(float64(len(x)))
}

// signTest is the two-sided probability of a split at least as uneven as
// won:lost if either is as likely: McNemar's test, exact.
func signTest(won, lost int) float64 {
	n, few := won+lost, min(won, lost)
	if 2*few == n {
		return 1
	}
	tail, term := 0.0, math.Pow(0.5, float64(n)) // of k = 0
	for k := 0; k <= few; k++ {
		tail += term
		term *= float64(n-k) / float64(k+1)
	}
	return min(1, 2*tail)
}
