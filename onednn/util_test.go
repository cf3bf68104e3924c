package onednn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

func optionsName(o onednn.Options) string {
	return fmt.Sprintf("threads %d, chunk %d", o.Threads, o.Chunk)
}

func randomWeights(g *graph.Graph, seed uint64) graph.Weights {
	rng := rand.New(rand.NewPCG(seed, 2))
	w := graph.Weights{}
	for _, p := range g.Params {
		d := tensor.New(tensor.Float32, p.Shape...)
		scale := float32(1)
		if len(p.Shape) > 1 {
			scale = float32(math.Sqrt(6 / float64(tensor.Count(p.Shape[1:]))))
		}
		for i := range d.Float32s() {
			v := rng.Float32() - 0.5
			switch {
			case strings.HasSuffix(p.Name, "_variance"), strings.HasSuffix(p.Name, "norm.weight"):
				v = v/2 + 1
			default:
				v *= scale
			}
			d.Float32s()[i] = v
		}
		w[p.Name] = d
	}
	return w
}
