package evaluate

import "math"

// rank counts the classes that come before class: those of a larger score and,
// among equal ones, of a lower index. It is a top-k hit if the rank is below k.
// (Paddle's top-k defines no order among equal scores.)
func rank(scores []float64, class int) int {
	before := 0
	for i, s := range scores {
		if s > scores[class] || s == scores[class] && i < class {
			before++
		}
	}
	return before
}

// best is the class of rank 0.
func best(scores []float64) int {
	at := 0
	for i, s := range scores {
		if s > scores[at] {
			at = i
		}
	}
	return at
}

// logSumExp is the logarithm of the softmax's denominator.
func logSumExp(scores []float64) float64 {
	top, sum := scores[best(scores)], 0.0
	for _, s := range scores {
		sum += math.Exp(s - top)
	}
	return top + math.Log(sum)
}

// crossEntropy is the loss of one row without label smoothing: -ln of the
// softmax of the true class.
func crossEntropy(scores []float64, class int) float64 {
	return max(0, logSumExp(scores)-scores[class])
}

// wilson is the 95 % confidence interval of a share: Wilson, "Probable
// inference, the law of succession, and statistical inference" (1927). n > 0.
func wilson(correct, n int) (low, high float64) {
	const z = 1.959963984540054 // quantile 0.975 of the normal distribution
	p, m := float64(correct)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, centre-half), min(1, centre+half)
}
