package onednn_test

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// randomWeights keep activations near 1 in deep networks: variances and scales
// are about 1, filters have the variance of He et al., "Delving Deep into
// Rectifiers" (2015), equation 10.
func randomWeights(g *graph.Graph, seed uint64) graph.Weights {
	rng, w := rand.New(rand.NewPCG(seed, 0)), graph.Weights{}
	for _, p := range g.Params {
		d := tensor.New(tensor.Float32, p.Shape...)
		centre, limit := 0.0, 0.5
		switch {
		case strings.HasSuffix(p.Name, "_variance"), strings.HasSuffix(p.Name, "norm.weight"):
			centre = 1
		case len(p.Shape) > 1:
			limit = math.Sqrt(6 / float64(tensor.Count(p.Shape[1:])))
		}
		for i := range d.Float32s() {
			d.Float32s()[i] = float32(centre + limit*(2*rng.Float64()-1))
		}
		w[p.Name] = d
	}
	return w
}
