package graph

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// An Int8 says how the numbers of a value are held in 8 bits: x is Scale*q for
// an integer q, in [-128, 127] if Signed, else in [0, 255].
type Int8 struct {
	Scale  float32 `json:"scale"` // from 1e-15 to 1e15
	Signed bool    `json:"signed,omitempty"`
}

// Type is the integer's type.
func (i Int8) Type() tensor.Type {
	if i.Signed {
		return tensor.Int8
	}
	return tensor.Uint8
}

// Scales say which values of an optimised graph (see Optimize) are held in 8
// bits, by their names. A convolution whose first operand is among them
// multiplies integers: its weights are rounded with ChannelScales, its bias to a
// multiple of the product of both scales. All else is float32. Quantize writes
// the same down as a graph.
type Scales map[string]Int8

// Between these a scale's products with those of weights are numbers of float32.
const leastScale, mostScale float32 = 1e-15, 1e15

// Check reports scales that do not belong to an optimised graph.
func (s Scales) Check(g *Graph) error {
	known := map[string]bool{}
	for _, v := range g.Inputs {
		known[v.Name] = true
	}
	for _, n := range g.Nodes {
		known[n.Out.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if !known[name] {
			return fmt.Errorf("graph %s: there are scales for %s, which the optimised graph does not compute: they belong to another network", g.Name, name)
		}
		if v := s[name].Scale; !(v >= leastScale && v <= mostScale) {
			return fmt.Errorf("graph %s: scale %v of %s: want a number from %v to %v", g.Name, v, name, leastScale, mostScale)
		}
	}
	return nil
}

// AllSigned returns scales for the same ranges that are all signed, as TensorRT
// wants them: values from 0 up lose one of their 8 bits.
func (s Scales) AllSigned() Scales {
	signed := Scales{}
	for name, i := range s {
		if !i.Signed {
			i = Int8{Scale: i.Scale * 255 / 127, Signed: true}
		}
		signed[name] = i
	}
	return signed
}

// InInt8 reports whether a node multiplies integers.
func (s Scales) InInt8(n *Node) bool {
	_, conv := n.Op.(Conv)
	_, held := s[n.In[0].Name]
	return conv && held && !n.In[0].Param
}

// deadChannel is the least magnitude of a channel's weights that counts, as a
// share of the largest of all channels. A bias is rounded to the channel's scale: of
// a channel that is all but dead it would not fit into 32 bits.
const deadChannel = 1. / (1 << 14)

// ChannelScales are the scales of a convolution's weights [O, ...], one for each
// output channel: the largest magnitude becomes 127, but for channels that are
// all but dead.
func ChannelScales(weights *tensor.Dense) []float32 {
	w := weights.Float32s()
	scales, all := make([]float32, weights.Shape[0]), float32(0)
	for o := range scales {
		for _, v := range w[o*len(w)/len(scales) : (o+1)*len(w)/len(scales)] {
			scales[o] = max(scales[o], float32(math.Abs(float64(v))))
		}
		all = max(all, scales[o])
	}
	for o := range scales {
		if scales[o] = max(scales[o], all*deadChannel) / 127; scales[o] == 0 {
			scales[o] = 1 // of no weights at all
		}
	}
	return scales
}
