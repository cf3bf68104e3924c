package main

import (
	"math"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/tsn"
)

// measureNetwork fills in parameters and operations, of the student where there
// are several networks.
func (r *record) measureNetwork(tenCrop, center string) error {
	var err error
	if r.Parameters, r.GFLOPs, err = cost(center, r.Segments); err != nil {
		return err
	}
	_, r.TestGFLOPs, err = cost(tenCrop, 250)
	return err
}

// cost is that of one clip of so many views.
func cost(file string, views int) (parameters int64, gflops float64, err error) {
	c, err := config.Load(file, nil)
	if err != nil {
		return 0, 0, err
	}
	m, err := c.Model()
	if err != nil {
		return 0, 0, err
	}
	net, err := tsn.Build(m.Network, views, size, size)
	if err != nil {
		return 0, 0, err
	}
	g, err := net.Graph.Bind([]int{1, views, 3, size, size})
	if err != nil {
		return 0, 0, err
	}
	return int64(g.ParamCount()), float64(g.FLOPs()) / 1e9, nil
}

// summarize counts the clips that were taken for what they are.
func summarize(rows []evaluate.Row) result {
	r := result{Videos: len(rows)}
	for _, row := range rows {
		if top(row.Scores) == row.Label {
			r.Correct++
		}
		r.Loss += crossEntropy(row.Scores, row.Label) / float64(len(rows))
	}
	r.Top1 = float64(r.Correct) / float64(r.Videos)
	return r
}

// crossEntropy is log sum exp(s) - s of the label.
func crossEntropy(scores []float32, label int) float64 {
	sum := 0.0
	for _, s := range scores {
		sum += math.Exp(float64(s - scores[label]))
	}
	return math.Log(sum)
}
