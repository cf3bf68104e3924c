package quantize

import "math"

// entropyTrials is about how many thresholds are tried.
const entropyTrials = 512

// entropy is the threshold at which the distribution of the integers tells least
// from that of the elements, by the Kullback-Leibler divergence (S. Migacz, "8-bit
// Inference with TensorRT", GPU Technology Conference 2017).
func entropy(h *histogram, steps int) float64 {
	used := h.used()
	best, least := h.largest, math.Inf(1)
	for end := steps + 1; end <= len(used); end += max(1, len(used)/entropyTrials) {
		if d := divergence(used, end, steps+1); d < least {
			best, least = float64(end)*h.width, d
		}
	}
	return min(best, h.largest)
}

// divergence is how much is lost by cutting off at bin end, exclusive, and
// holding what is left in that many levels. What is cut off counts as the last
// bin in the distribution that is approximated, but not in the approximation.
func divergence(counts []int64, end, levels int) float64 {
	outside := int64(0)
	for _, n := range counts[end:] {
		outside += n
	}
	inside, sum := spread(counts[:end], levels)
	total, d := float64(outside)+sum, 0.0
	for i, n := range counts[:end] {
		p := float64(n)
		if i == end-1 {
			p += float64(outside)
		}
		if p == 0 {
			continue
		}
		q := max(inside[i]/max(sum, 1), 1e-12) // nothing there: lost, but not infinitely much
		d += p / total * math.Log(p/total/q)
	}
	return d
}

// spread replaces counts by what is known of them when only the sums over so
// many groups are: a group's sum, shared evenly among its bins that hold any.
func spread(counts []int64, groups int) (out []float64, sum float64) {
	out = make([]float64, len(counts))
	for g := range groups {
		from, to := g*len(counts)/groups, (g+1)*len(counts)/groups
		n, held := int64(0), 0
		for _, c := range counts[from:to] {
			n += c
			if c > 0 {
				held++
			}
		}
		sum += float64(n)
		for i := from; i < to; i++ {
			if counts[i] > 0 {
				out[i] = float64(n) / float64(held)
			}
		}
	}
	return out, sum
}
