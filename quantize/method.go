package quantize

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// A Method says how the scale of a value follows from what was seen of it.
type Method string

// The methods.
const (
	Auto       Method = "auto"       // the one of all with which probabilities move least on the calibration clips
	Max        Method = "max"        // the largest magnitude
	Percentile Method = "percentile" // 99.9, 99.99 or 99.999 % of the elements, whichever moves probabilities least
	Entropy    Method = "entropy"    // the least Kullback-Leibler divergence
	MSE        Method = "mse"        // the least mean squared error, of all elements or of each view, whichever moves probabilities least
)

// ParseMethod reads a method's name.
func ParseMethod(s string) (Method, error) {
	switch m := Method(s); m {
	case Auto, Max, Percentile, Entropy, MSE:
		return m, nil
	}
	return "", fmt.Errorf("method %q: want auto, max, percentile, entropy or mse", s)
}

// A Trial is one way to choose scales, and what came of it.
type Trial struct {
	Method string  `json:"method"`
	Drift  float64 `json:"mean_score_drift"` // on the calibration clips, as in Agreement
}

type candidate struct {
	name   string
	method Method
	threshold
}

var candidates = []candidate{
	{"max", Max, largest},
	{"percentile 99.999", Percentile, percentile(99.999)},
	{"percentile 99.99", Percentile, percentile(99.99)},
	{"percentile 99.9", Percentile, percentile(99.9)},
	{"entropy", Entropy, entropy},
	{"mse", MSE, leastSquares},
	{"mse of each view", MSE, leastOfViews},
}

// choose tries the candidates of the method and returns the best.
func (j *job) choose(ctx context.Context, c *calibration, h holding) (best candidate, trials []Trial, err error) {
	wanted := slices.DeleteFunc(slices.Clone(candidates), func(k candidate) bool { return j.Method != Auto && j.Method != k.method })
	least := math.Inf(1)
	for i, k := range wanted {
		d, err := j.drift(ctx, c, h.scales(c.counts, k.threshold))
		if err != nil {
			return best, nil, err
		}
		trials = append(trials, Trial{Method: k.name, Drift: d})
		if d < least || best.threshold == nil {
			best, least = k, d
		}
		j.Progress("choose scales", i+1, len(wanted))
	}
	return best, trials, nil
}

// drift is how far probabilities move on the remembered clips. Errors of scores
// would not do: a few clips with far larger ones than the others would decide
// alone.
func (j *job) drift(ctx context.Context, c *calibration, s graph.Scales) (float64, error) {
	run, err := j.net.integers(s, j.Threads)
	if err != nil {
		return 0, err
	}
	defer run.Close()
	var float, integer []verdict
	for _, clip := range c.samples {
		results := rows{}
		for part := range pieces(clip.views) {
			values, err := run.run(ctx, part)
			if err != nil {
				return 0, err
			}
			results.add(j.net, values)
		}
		scores, err := j.net.scores(results)
		if err != nil {
			return 0, err
		}
		float = append(float, verdict{Unlabelled, j.probabilities(clip.scores)})
		integer = append(integer, verdict{Unlabelled, j.probabilities(scores)})
	}
	return compare(float, integer).MeanDrift, nil
}
