package graph

import (
	"github.com/pptsn/pptsn/tensor"
)

// walk calls f for each element of a shape, in order, with its position.
func walk(shape []int, f func(i int, at []int)) {
	at := make([]int, len(shape))
	for i := range tensor.Count(shape) {
		f(i, at)
		for a := len(at) - 1; a >= 0; a-- {
			at[a]++
			if at[a] < shape[a] {
				break
			}
			at[a] = 0
		}
	}
}

func dot(at, strides []int) int {
	sum := 0
	for i := range strides {
		sum += at[i] * strides[i]
	}
	return sum
}

func stridesOf(shape []int) []int {
	s, step := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = step
		step *= shape[i]
	}
	return s
}

// broadcastStrides are shape's strides for positions in to; stretched axes
// have stride 0.
func broadcastStrides(shape, to []int) []int {
	s, own := make([]int, len(to)), stridesOf(shape)
	for i := range shape {
		if shape[i] != 1 {
			s[len(to)-len(shape)+i] = own[i]
		}
	}
	return s
}

func evalTranspose(t Transpose, out, x *tensor.Dense) {
	own, strides := stridesOf(x.Shape), make([]int, len(t.Perm))
	for i, a := range t.Perm {
		strides[i] = own[a]
	}
	xs, y := x.Float32s(), out.Float32s()
	walk(out.Shape, func(i int, at []int) { y[i] = xs[dot(at, strides)] })
}

func evalConcat(c Concat, out *tensor.Dense, in []*tensor.Dense) {
	y := out.Float32s()
	row := tensor.Count(out.Shape[c.Axis:]) // elements of one joined piece
	before := 0
	for _, x := range in {
		part := tensor.Count(x.Shape[c.Axis:])
		for i, v := range x.Float32s() {
			y[i/part*row+before+i%part] = v
		}
		before += part
	}
}

func evalSlice(s Slice, out, x *tensor.Dense) {
	strides, first := stridesOf(x.Shape), 0
	for i, a := range s.Axes {
		from, _ := s.span(i, x.Shape[a])
		first += from * strides[a]
	}
	xs, y := x.Float32s(), out.Float32s()
	walk(out.Shape, func(i int, at []int) { y[i] = xs[first+dot(at, strides)] })
}

func evalTemporalShift(t TemporalShift, out, x *tensor.Dense) {
	channels, size := x.Shape[1], x.Shape[2]*x.Shape[3]
	fold := int(float32(channels) * t.Ratio)
	xs, y := x.Float32s(), out.Float32s()
	for n := range x.Shape[0] {
		for c := range channels {
			from := n
			switch {
			case c < fold:
				from = n - 1
			case c < 2*fold:
				from = n + 1
			}
			if from < 0 || from/t.Segments != n/t.Segments {
				continue // beyond the clip: zeros
			}
			copy(y[(n*channels+c)*size:][:size], xs[(from*channels+c)*size:][:size])
		}
	}
}
