package graph

import (
	"math"

	"github.com/pptsn/pptsn/tensor"
)

func (a Activation) apply(x float64) float64 {
	switch a.Func {
	case ReLU:
		return max(x, 0)
	case ReLU6:
		return min(max(x, 0), 6)
	case HardSwish:
		return x * min(max(x+3, 0), 6) / 6
	case HardSigmoid:
		return min(max(float64(a.Slope)*x+float64(a.Offset), 0), 1)
	case Sigmoid:
		return 1 / (1 + math.Exp(-x))
	}
	return x
}

func evalActivation(a Activation, out, x *tensor.Dense) {
	y := out.Float32s()
	for i, v := range x.Float32s() {
		y[i] = float32(a.apply(float64(v)))
	}
}

func evalAffine(a Affine, out, x *tensor.Dense) {
	y := out.Float32s()
	for i, v := range x.Float32s() {
		y[i] = float32(float64(v)*float64(a.Scale) + float64(a.Shift))
	}
}

func evalBatchNorm(b BatchNorm, out *tensor.Dense, in []*tensor.Dense) {
	scale, offset := in[1].Float32s(), in[2].Float32s()
	mean, variance := in[3].Float32s(), in[4].Float32s()
	channels := out.Shape[1]
	size := tensor.Count(out.Shape[2:])
	y := out.Float32s()
	for i, v := range in[0].Float32s() {
		c := i / size % channels
		k := float64(scale[c]) / math.Sqrt(float64(variance[c])+float64(b.Epsilon))
		y[i] = float32((float64(v)-float64(mean[c]))*k + float64(offset[c]))
	}
}

func evalBinary(b Binary, out, left, right *tensor.Dense) {
	x, y, z := left.Float32s(), right.Float32s(), out.Float32s()
	sx, sy := broadcastStrides(left.Shape, out.Shape), broadcastStrides(right.Shape, out.Shape)
	walk(out.Shape, func(i int, at []int) {
		v, w := float64(x[dot(at, sx)]), float64(y[dot(at, sy)])
		switch b.Op {
		case Add:
			v += w
		case Sub:
			v -= w
		case Mul:
			v *= w
		case Div:
			v /= w
		}
		z[i] = float32(b.Act.apply(v))
	})
}

func evalSoftmax(s Softmax, out, x *tensor.Dense) {
	n := x.Shape[s.Axis]
	step := tensor.Count(x.Shape[s.Axis+1:])
	xs, y := x.Float32s(), out.Float32s()
	for i := range xs {
		if i/step%n != 0 {
			continue // not the first of its row
		}
		top, sum := math.Inf(-1), 0.0
		for k := range n {
			top = max(top, float64(xs[i+k*step]))
		}
		for k := range n {
			sum += math.Exp(float64(xs[i+k*step]) - top)
		}
		for k := range n {
			y[i+k*step] = float32(math.Exp(float64(xs[i+k*step])-top) / sum)
		}
	}
}
