package pptsn

import (
	"errors"
	"math"
	"slices"
	"time"
)

// A Result is what a model says of one video.
type Result struct {
	File   string  `json:"file"`
	Top    []Class `json:"top"`    // likeliest first
	Frames []int   `json:"frames"` // numbers of the frames that were looked at, from 0
	Time   Times   `json:"ms"`
}

// A Class is one answer.
type Class struct {
	Index int     `json:"class"`          // from 0
	Name  string  `json:"name,omitempty"` // "" where labels are not known
	Score float64 `json:"score"`          // probability (softmax), in [0, 1]
}

// Times are milliseconds spent on one video. Waiting for another video's
// network counts as Network; videos that share a batch share its time evenly.
type Times struct {
	Frames  float64 `json:"frames"`  // open, decode, scale
	Network float64 `json:"network"` // crop, normalise, run
}

func milliseconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e3 }

// probabilities are the softmax of scores, unless the network ends with one.
func (m *Model) probabilities(scores []float32) []float64 {
	p := make([]float64, len(scores))
	if m.bundle.EndsWithSoftmax() {
		for i, s := range scores {
			p[i] = float64(s)
		}
		return p
	}
	top, sum := float64(slices.Max(scores)), 0.0
	for i, s := range scores {
		p[i] = math.Exp(float64(s) - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// rank lists the k likeliest classes; equal ones by index.
func rank(p []float64, k int, labels []string) ([]Class, error) {
	if slices.ContainsFunc(p, math.IsNaN) {
		return nil, errors.New("the network's scores are not numbers: its weights are damaged")
	}
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] > p[b]:
			return -1
		case p[a] < p[b]:
			return 1
		}
		return 0
	})
	top := make([]Class, min(k, len(p)))
	for i := range top {
		top[i] = Class{Index: order[i], Score: p[order[i]]}
		if labels != nil {
			top[i].Name = labels[order[i]]
		}
	}
	return top, nil
}
