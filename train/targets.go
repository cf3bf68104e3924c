package train

import "github.com/pptsn/pptsn/tensor"

// Labels are the classes of a batch of n clips, perhaps mixed in pairs.
type Labels struct {
	A      []int   // [n]
	B      []int   // [n] of the clip that each was mixed with; nil: not mixed
	Lambda float32 // share of A; not read where B is nil
}

// Targets are the distributions [n, K] that training wants: 1-smoothing for the
// clip's class and smoothing/K for each (Szegedy et al., "Rethinking the
// Inception Architecture", 2016, section 7), those of mixed pairs weighted by
// lambda (Zhang et al., "mixup", 2018). Their cross entropy is what the
// reference computes as a sum of two losses.
func Targets(l Labels, classes int, smoothing float64) *tensor.Dense {
	t := tensor.New(tensor.Float32, len(l.A), classes)
	v := t.Float32s()
	for i := range v {
		v[i] = float32(smoothing / float64(classes))
	}
	lambda := 1.0
	if l.B != nil {
		lambda = float64(l.Lambda)
	}
	add := func(row, class int, share float64) {
		at := &v[row*classes+class]
		*at = float32(float64(*at) + (1-smoothing)*share)
	}
	for i := range l.A {
		add(i, l.A[i], lambda)
		if l.B != nil {
			add(i, l.B[i], 1-lambda)
		}
	}
	return t
}

// TopK is the share of clips whose class is among the k best of their scores
// [n, K]; with mixed labels both classes count, weighted. Of equal scores the
// class of lower number is better.
func TopK(logits []float32, classes int, l Labels, k int) float64 {
	n := len(l.A)
	if n == 0 {
		return 0
	}
	hits := func(labels []int) float64 {
		count := 0
		for i, class := range labels {
			if rankOf(logits[i*classes:(i+1)*classes], class) < k {
				count++
			}
		}
		return float64(count) / float64(n)
	}
	if l.B == nil {
		return hits(l.A)
	}
	lambda := float64(l.Lambda)
	return lambda*hits(l.A) + (1-lambda)*hits(l.B)
}

// rankOf counts the classes that are not worse than one. Scores that are no
// numbers make all classes better: a network that gives them has no hits.
func rankOf(scores []float32, class int) int {
	rank := 0
	for c, v := range scores {
		worse := v < scores[class] || v == scores[class] && c > class
		if c != class && !worse {
			rank++
		}
	}
	return rank
}
