package convert

import (
	"math"
	"strings"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// epsilon is what batch norms add to the variance here, and by default in PyTorch.
const epsilon = float32(1e-5)

// identity is a parameter of a projection that changes nothing: a 1x1 convolution
// that copies each channel, and a batch norm of mean 0 and variance 1 whose scale
// undoes the epsilon.
func identity(p tsn.Param) *tensor.Dense {
	d := tensor.New(tensor.Float32, p.Shape...)
	v := d.Float32s()
	switch {
	case strings.HasSuffix(p.Name, "._conv.weight"):
		for i := range p.Shape[0] {
			v[i*p.Shape[1]+i] = 1
		}
	case strings.HasSuffix(p.Name, "._batch_norm.weight"):
		fill(v, float32(math.Sqrt(float64(1+epsilon))))
	case strings.HasSuffix(p.Name, "._batch_norm._variance"):
		fill(v, 1)
	}
	return d
}

func fill(v []float32, x float32) {
	for i := range v {
		v[i] = x
	}
}
