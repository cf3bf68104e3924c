// Package turns is for measuring several things side by side: they take turns,
// so that what else the machine does falls on all of them.
package turns

import (
	"iter"
	"slices"
)

// Order is who has a turn when: all things forwards, then all backwards and so
// on, so that a machine that slows down or speeds up favours none. It yields
// the number of the round and of the thing, from 0.
func Order(rounds, things int) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for round := range rounds {
			for i := range things {
				if round%2 == 1 {
					i = things - 1 - i
				}
				if !yield(round, i) {
					return
				}
			}
		}
	}
}

// Quantile is the number below which a share q of the samples lies, between two
// of them in proportion. There must be one at least.
func Quantile(samples []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	at := q * float64(len(sorted)-1)
	i := int(at)
	return sorted[i] + (at-float64(i))*(sorted[min(i+1, len(sorted)-1)]-sorted[i])
}

// Median is the sample in the middle, or between the two that are.
func Median(samples []float64) float64 { return Quantile(samples, 0.5) }

// Spread is half of what lies between the quartiles, in percent of the median:
// half of the samples lie within about so many percent.
func Spread(samples []float64) float64 {
	return 100 * (Quantile(samples, 0.75) - Quantile(samples, 0.25)) / 2 / Median(samples)
}

// Ratios are those of the samples of equal rounds, a to b.
func Ratios(a, b []float64) []float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return ratios
}
