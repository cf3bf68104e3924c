package graph

import (
	"math"

	"github.com/pptsn/pptsn/tensor"
)

// foldBatchNorm moves the statistics of a batch norm into the weights of the
// convolution before it, whose only reader it must be:
//
//	k = scale / sqrt(variance + epsilon)
//	w' = w k,  b' = (b - mean) k + offset
//
// computed in float64 and rounded once.
func foldBatchNorm(r *rewrite) error {
	return r.each(func(bn *Node) error {
		op, ok := bn.Op.(BatchNorm)
		if !ok {
			return nil
		}
		conv := r.producer(bn.In[0])
		if conv == nil || r.onlyReader(conv.Out) != bn {
			return nil
		}
		c, ok := conv.Op.(Conv)
		if !ok || c.Residual || c.Act.Func != Identity || r.onlyReader(conv.In[1]) != conv {
			return nil
		}
		r.foldInto(conv, c, bn, op)
		return nil
	})
}

func (r *rewrite) foldInto(conv *Node, c Conv, bn *Node, op BatchNorm) {
	scale, offset := r.floats(bn.In[1]), r.floats(bn.In[2])
	mean, variance := r.floats(bn.In[3]), r.floats(bn.In[4])
	old := make([]float32, len(scale)) // the convolution's bias so far
	if c.Bias {
		old = r.floats(conv.In[2])
	}
	weight := r.w[conv.In[1].Name].Clone()
	w, bias := weight.Float32s(), make([]float32, len(scale))
	per := len(w) / len(scale)
	for o := range scale {
		k := float64(scale[o]) / math.Sqrt(float64(variance[o])+float64(op.Epsilon))
		bias[o] = float32((float64(old[o])-float64(mean[o]))*k + float64(offset[o]))
		for i := o * per; i < (o+1)*per; i++ {
			w[i] = float32(float64(w[i]) * k)
		}
	}
	r.w[conv.In[1].Name] = weight
	b := r.g.Param(conv.Out.Name+".folded_bias", len(bias))
	r.w[b.Name] = tensor.FromFloat32(bias, len(bias))
	c.Bias = true
	conv.Op, conv.In = c, []*Value{conv.In[0], conv.In[1], b}
	r.absorb(conv, bn)
}

func (r *rewrite) floats(p *Value) []float32 { return r.w[p.Name].Float32s() }
