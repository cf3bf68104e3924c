package quantize

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
)

// An Agreement compares int8 with float32 on clips that were not calibrated
// with.
type Agreement struct {
	Clips     int     `json:"clips"`
	Top1      float64 `json:"top1_agreement"`   // share of the clips of which both say the same class
	MeanDrift float64 `json:"mean_score_drift"` // mean over the clips of the largest change of a class's probability
	MaxDrift  float64 `json:"max_score_drift"`  // the largest change of all

	Labelled int     `json:"labelled"`                // clips of which the class is known
	FP32     float64 `json:"fp32_accuracy,omitempty"` // share of these that are right
	INT8     float64 `json:"int8_accuracy,omitempty"`
}

// A verdict is a clip's probabilities.
type verdict struct {
	label int
	p     []float64
}

// checkFloat runs the whole network in float32 on the clips to check with. Those
// that cannot be read are left out from then on.
func (j *job) checkFloat(ctx context.Context) ([]verdict, error) {
	e, err := engine.Open(ctx, j.Bundle.Graph, j.Bundle.Weights, engine.Options{Kind: engine.OneDNN, Threads: j.Threads})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	all, read, err := j.verdicts(ctx, "check fp32", e)
	j.Check = read
	return all, err
}

func (j *job) verdicts(ctx context.Context, what string, e *engine.Engine) (all []verdict, read []Sample, err error) {
	read, err = j.each(ctx, what, j.Check, func(l loaded) error {
		scores, err := e.Scores(ctx, []*clip.Clip{l.clip})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(scores[0], func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }) {
			return fmt.Errorf("%s: %s: the network's scores are not numbers: its weights are damaged", what, l.Path)
		}
		all = append(all, verdict{l.Label, j.probabilities(scores[0])})
		return nil
	})
	return all, read, err
}

// probabilities are the softmax of scores, unless the network ends with one.
func (j *job) probabilities(scores []float32) []float64 {
	p, top, sum := make([]float64, len(scores)), float64(slices.Max(scores)), 0.0
	for i, s := range scores {
		p[i] = float64(s)
		if !j.Bundle.EndsWithSoftmax() {
			p[i] = math.Exp(p[i] - top)
		}
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// compare counts what both say of the same clips.
func compare(float, integer []verdict) Agreement {
	a := Agreement{Clips: len(float)}
	same, right, rightInt := 0, 0, 0
	for i, f := range float {
		drift, q := 0.0, integer[i]
		for k, p := range f.p {
			drift = max(drift, math.Abs(p-q.p[k]))
		}
		a.MeanDrift += drift / float64(a.Clips)
		a.MaxDrift = max(a.MaxDrift, drift)
		x, y := argmax(f.p), argmax(q.p)
		if x == y {
			same++
		}
		if f.label == Unlabelled {
			continue
		}
		a.Labelled++
		if x == f.label {
			right++
		}
		if y == f.label {
			rightInt++
		}
	}
	a.Top1 = float64(same) / float64(a.Clips)
	if a.Labelled > 0 {
		a.FP32, a.INT8 = float64(right)/float64(a.Labelled), float64(rightInt)/float64(a.Labelled)
	}
	return a
}

func argmax(p []float64) int { return slices.Index(p, slices.Max(p)) }
