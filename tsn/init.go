package tsn

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// Init draws weights to train from, as Paddle's layers do by themselves:
// convolutions from a normal distribution of variance 2 / fan-in (He et al.,
// "Delving Deep into Rectifiers", 2015), the classifier from one of deviation
// headStd, batch norms as the identity. Each parameter has a stream of random
// numbers of its own, so the weights depend on seed and name alone.
func (n *Network) Init(headStd float64, seed uint64) graph.Weights {
	w := graph.Weights{}
	for _, p := range n.Params {
		d := tensor.New(tensor.Float32, p.Shape...)
		switch v := d.Float32s(); {
		case p.Name == "head.fc.weight":
			normal(v, headStd, seed, p.Name)
		case strings.HasSuffix(p.Name, "._conv.weight"):
			normal(v, math.Sqrt(2/float64(d.Len()/p.Shape[0])), seed, p.Name)
		case strings.HasSuffix(p.Name, "_batch_norm.weight"), strings.HasSuffix(p.Name, "._variance"):
			for i := range v {
				v[i] = 1
			}
		}
		w[p.Name] = d
	}
	return w
}

func normal(v []float32, std float64, seed uint64, name string) {
	rng := rand.New(rand.NewPCG(seed, hash(name)))
	for i := range v {
		v[i] = float32(std * rng.NormFloat64())
	}
}

// hash is FNV-1a.
func hash(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, c := range []byte(s) {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return h
}
