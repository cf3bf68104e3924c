package graph

import (
	"runtime"
	"sync"

	"github.com/pptsn/pptsn/tensor"
)

// evalConv computes each plane (one picture, one output channel) on its own,
// as a sum of shifted and scaled input planes.
func evalConv(c Conv, out *tensor.Dense, in []*tensor.Dense) {
	x, w := in[0], in[1]
	o := out.Shape[1]
	size := out.Shape[2] * out.Shape[3]
	y := out.Float32s()
	parallel(out.Shape[0]*o, func(plane int) {
		sum := make([]float64, size)
		if c.Bias {
			b := float64(in[2].Float32s()[plane%o])
			for i := range sum {
				sum[i] = b
			}
		}
		convPlane(c, sum, out.Shape, x, w, plane/o, plane%o)
		dst := y[plane*size : (plane+1)*size]
		if c.Residual {
			r := in[len(in)-1].Float32s()[plane*size:]
			for i := range sum {
				sum[i] += float64(r[i])
			}
		}
		for i, v := range sum {
			dst[i] = float32(c.Act.apply(v))
		}
	})
}

// convPlane adds to sum the convolution of picture n for output channel o.
func convPlane(c Conv, sum []float64, outShape []int, x, w *tensor.Dense, n, o int) {
	channels, h, wd := w.Shape[1], x.Shape[2], x.Shape[3]
	kh, kw := w.Shape[2], w.Shape[3]
	group := o / (w.Shape[0] / c.Groups)
	xs, ws := x.Float32s(), w.Float32s()
	for i := range channels {
		plane := xs[(n*x.Shape[1]+group*channels+i)*h*wd:][:h*wd]
		for ky := range kh {
			for kx := range kw {
				weight := float64(ws[((o*channels+i)*kh+ky)*kw+kx])
				for oy := range outShape[2] {
					iy := oy*c.Stride[0] - c.Pad.Top + ky*c.Dilation[0]
					if iy < 0 || iy >= h {
						continue
					}
					row, dst := plane[iy*wd:][:wd], sum[oy*outShape[3]:][:outShape[3]]
					addRow(dst, row, weight, c.Stride[1], kx*c.Dilation[1]-c.Pad.Left)
				}
			}
		}
	}
}

// addRow adds weight * row[i*stride+shift] to dst[i] where that exists.
func addRow(dst []float64, row []float32, weight float64, stride, shift int) {
	from := max(0, (-shift+stride-1)/stride)
	to := min(len(dst), (len(row)-shift+stride-1)/stride)
	if from >= to {
		return
	}
	dst, row = dst[from:to], row[from*stride+shift:]
	if stride == 1 {
		row = row[:len(dst)]
		for i, v := range row {
			dst[i] += weight * float64(v)
		}
		return
	}
	for i := range dst {
		dst[i] += weight * float64(row[i*stride])
	}
}

// parallel calls f(0) ... f(n-1) on all cores.
func parallel(n int, f func(int)) {
	var wg sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), n)
	for k := range workers {
		wg.Go(func() {
			for i := k; i < n; i += workers {
				f(i)
			}
		})
	}
	wg.Wait()
}
