package graph

import (
	"math"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

func evalLinear(l Linear, out *tensor.Dense, in []*tensor.Dense) {
	x, w, y := in[0].Float32s(), in[1].Float32s(), out.Float32s()
	from := in[0].Shape[len(in[0].Shape)-1]
	to := out.Shape[len(out.Shape)-1]
	stepI, stepO := to, 1
	if l.Transposed {
		stepI, stepO = 1, from
	}
	for k := range y {
		row, o := x[k/to*from:][:from], k%to
		var sum float64
		for i, v := range row {
			sum += float64(v) * float64(w[i*stepI+o*stepO])
		}
		if l.Bias {
			sum += float64(in[2].Float32s()[o])
		}
		y[k] = float32(sum)
	}
}

func evalMean(m Mean, out, x *tensor.Dense) {
	kept := slices.Clone(x.Shape) // the result's shape with averaged axes kept
	count := 1
	for _, a := range m.Axes {
		count *= x.Shape[a]
		kept[a] = 1
	}
	sums, strides := make([]float64, out.Len()), broadcastStrides(kept, x.Shape)
	xs := x.Float32s()
	walk(x.Shape, func(i int, at []int) { sums[dot(at, strides)] += float64(xs[i]) })
	y := out.Float32s()
	for i, s := range sums {
		y[i] = float32(s / float64(count))
	}
}

func evalPool(p Pool, out, x *tensor.Dense) {
	h, w := x.Shape[2], x.Shape[3]
	oh, ow := out.Shape[2], out.Shape[3]
	xs, y := x.Float32s(), out.Float32s()
	parallel(out.Shape[0]*out.Shape[1], func(plane int) {
		src, dst := xs[plane*h*w:][:h*w], y[plane*oh*ow:][:oh*ow]
		for i := range dst {
			top, left := i/ow*p.Stride[0]-p.Pad.Top, i%ow*p.Stride[1]-p.Pad.Left
			dst[i] = p.window(src, h, w, top, left)
		}
	})
}

// window pools one window whose corner is at (top, left).
func (p Pool) window(src []float32, h, w, top, left int) float32 {
	y0, y1 := max(top, 0), min(top+p.Kernel[0], h)
	x0, x1 := max(left, 0), min(left+p.Kernel[1], w)
	sum, most := 0.0, math.Inf(-1)
	for y := y0; y < y1; y++ {
		for _, v := range src[y*w+x0 : y*w+x1] {
			sum += float64(v)
			most = max(most, float64(v))
		}
	}
	if p.Max {
		return float32(most)
	}
	if p.CountPadding { // but never what lies beyond the padding
		y0, y1 = top, min(top+p.Kernel[0], h+p.Pad.Bottom)
		x0, x1 = left, min(left+p.Kernel[1], w+p.Pad.Right)
	}
	return float32(sum / float64((y1-y0)*(x1-x0)))
}
