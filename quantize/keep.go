package quantize

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// keepSteps is how often more layers are kept in float32 before giving up: the
// worst one, then 2, 4 and 8.
const keepSteps = 4

// worst are the names of that many layers, those with the largest error of their own.
func worst(layers []Layer, n int) []string {
	order := slices.Clone(layers)
	slices.SortStableFunc(order, func(a, b Layer) int { return cmp.Compare(a.DB, b.DB) })
	var names []string
	for _, l := range order[:min(n, len(order))] {
		names = append(names, l.Name)
	}
	return names
}

// checkIntegers compares the network with these scales with float32.
func (j *job) checkIntegers(ctx context.Context, s graph.Scales, float []verdict) (Agreement, error) {
	e, err := openIntegers(ctx, j.Bundle, s, j.Threads)
	if err != nil {
		return Agreement{}, err
	}
	defer e.Close()
	integer, _, err := j.verdicts(ctx, "check int8", e)
	if err != nil {
		return Agreement{}, err
	}
	if len(integer) != len(float) {
		return Agreement{}, errors.New("quantize: a clip to check with could be read once, but not again")
	}
	return compare(float, integer), nil
}

// search keeps more and more of the worst layers in float32 until the agreement
// is enough, and returns the attempt that agrees best.
func (j *job) search(ctx context.Context, c *calibration, t threshold, first Attempt, float []verdict) (Attempt, error) {
	best := first
	for step := range keepSteps {
		n := 1 << step
		if best.Agreement.Top1 >= j.MinAgreement || n >= len(first.Layers) {
			break
		}
		next, err := j.attempt(ctx, c, t, slices.Concat(j.Keep, worst(first.Layers, n)), float)
		if err != nil {
			return best, err
		}
		if next.Agreement.Top1 > best.Agreement.Top1 {
			best = next
		}
	}
	var err error
	if best.Layers == nil {
		err = j.measure(ctx, c, &best)
	}
	return best, err
}
