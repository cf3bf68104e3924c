package graph

import (
	"math"

	"github.com/pptsn/pptsn/tensor"
)

// Limits are the least and the largest integer of the rounding.
func (f FakeQuant) Limits() (least, most float64) {
	switch f.Type {
	case tensor.Uint8:
		return 0, math.MaxUint8
	case tensor.Int32:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt8, math.MaxInt8
}

// Quantized are the integers that x is rounded to, as float64.
func (f FakeQuant) Quantized(x *tensor.Dense) []float64 {
	least, most := f.Limits()
	v := x.Float32s()
	q := make([]float64, len(v))
	for i, a := range v {
		s := f.Scales[i*len(f.Scales)/len(v)]
		q[i] = min(max(math.RoundToEven(float64(a/s)), least), most)
	}
	return q
}

func evalFakeQuant(f FakeQuant, out, x *tensor.Dense) {
	y := out.Float32s()
	for i, q := range f.Quantized(x) {
		y[i] = float32(q) * f.Scales[i*len(f.Scales)/len(y)]
	}
}
