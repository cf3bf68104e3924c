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
	Auto       Method = "auto"       // the one of all whose scores differ least from float32's on the calibration clips
	Max        Method = "max"        // the largest magnitude
	Percentile Method = "percentile" // 99.9, 99.99 or 99.999 % of the elements, whichever gives the least error
	Entropy    Method = "entropy"    // the least Kullback-Leibler divergence
	MSE        Method = "mse"        // the least mean squared error of each value
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
	Error  float64 `json:"score_error"` // of the scores on the calibration clips, relative: 0 is none
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
}

// choose tries the candidates of the method and returns the best.
func (j *job) choose(ctx context.Context, c *calibration, h holding) (best candidate, trials []Trial, err error) {
	wanted := slices.DeleteFunc(slices.Clone(candidates), func(k candidate) bool { return j.Method != Auto && j.Method != k.method })
	least := math.Inf(1)
	for i, k := range wanted {
		e, err := j.scoreError(ctx, c, h.scales(c.counts, k.threshold))
		if err != nil {
			return best, nil, err
		}
		trials = append(trials, Trial{Method: k.name, Error: e})
		if e < least || best.threshold == nil {
			best, least = k, e
		}
		j.Progress("choose scales", i+1, len(wanted))
	}
	return best, trials, nil
}

// scoreError is the root of the scores' squared error, over that of the scores'
// squares, on the remembered clips.
func (j *job) scoreError(ctx context.Context, c *calibration, s graph.Scales) (float64, error) {
	run, err := j.net.integers(s, j.Threads)
	if err != nil {
		return 0, err
	}
	defer run.Close()
	var sum noise
	for _, clip := range c.samples {
		got, err := run.run(ctx, clip.views)
		if err != nil {
			return 0, err
		}
		scores, err := j.net.scores(got)
		if err != nil {
			return 0, err
		}
		sum.add(scores, clip.scores)
	}
	return sum.relative(), nil
}
