package graphtest

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// A random makes numbers that depend on its seed alone.
type random struct{ *rand.Rand }

func newRandom(seed string) random {
	h := fnv.New64a()
	h.Write([]byte(seed))
	return random{rand.New(rand.NewPCG(h.Sum64(), 0))}
}

// tensor holds numbers in [-1, 3), off centre so that sums do not cancel.
func (r random) tensor(shape ...int) *tensor.Dense { return r.between(-1, 3, shape...) }

func (r random) between(lo, hi float32, shape ...int) *tensor.Dense {
	d := tensor.New(tensor.Float32, shape...)
	v := d.Float32s()
	for i := range v {
		v[i] = lo + (hi-lo)*r.Float32()
	}
	return d
}

// weights are such that results keep the magnitude of the operands: variances
// and scales near 1, and filters and matrices as He et al., "Delving Deep into
// Rectifiers" (2015), equation 10.
func (r random) weights(g *graph.Graph) graph.Weights {
	w := graph.Weights{}
	readers := g.Users()
	for _, p := range g.Params {
		switch reader := readers[p][0]; reader.Op.(type) {
		case graph.Conv, graph.Linear:
			limit := float32(1)
			if n := fanIn(reader, p); n > 0 {
				limit = float32(math.Sqrt(6 / float64(n)))
			}
			w[p.Name] = r.between(-limit, limit, p.Shape...)
		case graph.BatchNorm:
			w[p.Name] = r.between(0.5, 1.5, p.Shape...)
		default:
			w[p.Name] = r.between(0.5, 2, p.Shape...) // also a divisor
		}
	}
	return w
}

// fanIn is how many products make up one result, 0 if p is not the filter.
func fanIn(n *graph.Node, p *graph.Value) int {
	if p != n.In[1] {
		return 0
	}
	if _, ok := n.Op.(graph.Linear); ok {
		return n.In[0].Shape[len(n.In[0].Shape)-1]
	}
	return tensor.Count(p.Shape[1:])
}
