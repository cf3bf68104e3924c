package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

func inferShape(op Op, in []*Value) ([]int, error) {
	shapes := make([][]int, len(in))
	for i, v := range in {
		if v == nil {
			return nil, fmt.Errorf("operand %d is missing", i)
		}
		shapes[i] = v.Shape
	}
	shape, err := op.infer(shapes)
	if err != nil {
		return nil, err
	}
	for _, d := range shape {
		if d == 0 || d < Unknown {
			return nil, fmt.Errorf("result %s is empty", tensor.ShapeString(shape))
		}
	}
	return shape, nil
}

// same reports whether two dimensions can be equal.
func same(a, b int) bool { return a == b || a == Unknown || b == Unknown }

func want(in [][]int, n int) error {
	if len(in) != n {
		return fmt.Errorf("%d operands, want %d", len(in), n)
	}
	return nil
}

func wantRank(x []int, rank int) error {
	if len(x) != rank {
		return fmt.Errorf("operand %s, want %d axes", tensor.ShapeString(x), rank)
	}
	return nil
}

func (c Conv) infer(in [][]int) ([]int, error) {
	n := 2
	if c.Bias {
		n++
	}
	if c.Residual {
		n++
	}
	if err := want(in, n); err != nil {
		return nil, err
	}
	x, w := in[0], in[1]
	if err := errors.Join(wantRank(x, 4), wantRank(w, 4)); err != nil {
		return nil, err
	}
	if c.Groups < 1 || !same(x[1], w[1]*c.Groups) || w[0]%c.Groups != 0 {
		return nil, fmt.Errorf("weights %s in %d groups do not fit %s", tensor.ShapeString(w), c.Groups, tensor.ShapeString(x))
	}
	if c.Bias && !slices.Equal(in[2], []int{w[0]}) {
		return nil, fmt.Errorf("bias %s, want [%d]", tensor.ShapeString(in[2]), w[0])
	}
	p, s, d := c.Pad, c.Stride, c.Dilation
	h, err := windows(x[2], w[2], s[0], d[0], p.Top, p.Bottom, false)
	if err != nil {
		return nil, err
	}
	wd, err := windows(x[3], w[3], s[1], d[1], p.Left, p.Right, false)
	if err != nil {
		return nil, err
	}
	out := []int{x[0], w[0], h, wd}
	if c.Residual && !compatible(in[n-1], out) {
		return nil, fmt.Errorf("residual %s, want %s", tensor.ShapeString(in[n-1]), tensor.ShapeString(out))
	}
	return out, nil
}

// windows counts the positions of a window along one axis.
func windows(size, kernel, stride, dilation, before, after int, ceil bool) (int, error) {
	if kernel < 1 || stride < 1 || dilation < 1 || before < 0 || after < 0 {
		return 0, fmt.Errorf("window %d, stride %d, dilation %d, padding %d+%d", kernel, stride, dilation, before, after)
	}
	if size == Unknown {
		return Unknown, nil
	}
	room := size + before + after - (dilation*(kernel-1) + 1)
	n := floorDiv(room, stride) + 1
	if ceil {
		n = -floorDiv(-room, stride) + 1
		if (n-1)*stride >= size+before { // the last window would lie in the padding alone
			n--
		}
	}
	if n < 1 {
		return 0, fmt.Errorf("window of %d is larger than the %d padded pixels", dilation*(kernel-1)+1, size+before+after)
	}
	return n, nil
}

// floorDiv is a/b rounded down, b positive.
func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// compatible reports whether two shapes can be the same.
func compatible(a, b []int) bool { return slices.EqualFunc(a, b, same) }

func (BatchNorm) infer(in [][]int) ([]int, error) {
	if err := want(in, 5); err != nil {
		return nil, err
	}
	if len(in[0]) < 2 {
		return nil, fmt.Errorf("operand %s has no channels", tensor.ShapeString(in[0]))
	}
	for _, p := range in[1:] {
		if len(p) != 1 || !same(p[0], in[0][1]) {
			return nil, fmt.Errorf("statistics %s do not fit %s", tensor.ShapeString(p), tensor.ShapeString(in[0]))
		}
	}
	return in[0], nil
}

func (p Pool) infer(in [][]int) ([]int, error) {
	if err := want(in, 1); err != nil {
		return nil, err
	}
	x := in[0]
	if err := wantRank(x, 4); err != nil {
		return nil, err
	}
	if p.Pad.Top >= p.Kernel[0] || p.Pad.Bottom >= p.Kernel[0] || p.Pad.Left >= p.Kernel[1] || p.Pad.Right >= p.Kernel[1] {
		return nil, fmt.Errorf("padding %v is not smaller than the window %v", p.Pad, p.Kernel)
	}
	h, err := windows(x[2], p.Kernel[0], p.Stride[0], 1, p.Pad.Top, p.Pad.Bottom, p.Ceil)
	if err != nil {
		return nil, err
	}
	w, err := windows(x[3], p.Kernel[1], p.Stride[1], 1, p.Pad.Left, p.Pad.Right, p.Ceil)
	if err != nil {
		return nil, err
	}
	return []int{x[0], x[1], h, w}, nil
}

func (l Linear) infer(in [][]int) ([]int, error) {
	n := 2
	if l.Bias {
		n++
	}
	if err := want(in, n); err != nil {
		return nil, err
	}
	x, w := in[0], in[1]
	if err := wantRank(w, 2); err != nil {
		return nil, err
	}
	from, to := w[0], w[1]
	if l.Transposed {
		from, to = to, from
	}
	if len(x) == 0 || !same(x[len(x)-1], from) {
		return nil, fmt.Errorf("weights %s do not fit %s", tensor.ShapeString(w), tensor.ShapeString(x))
	}
	if l.Bias && !slices.Equal(in[2], []int{to}) {
		return nil, fmt.Errorf("bias %s, want [%d]", tensor.ShapeString(in[2]), to)
	}
	return append(slices.Clone(x[:len(x)-1]), to), nil
}

func (Binary) infer(in [][]int) ([]int, error) {
	if err := want(in, 2); err != nil {
		return nil, err
	}
	return broadcast(in[0], in[1])
}

// broadcast is numpy's rule: axes are matched from the last, 1 stretches.
func broadcast(a, b []int) ([]int, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i := range b {
		x, y := &out[len(a)-len(b)+i], b[i]
		switch {
		case *x == 1 || *x == Unknown && y != 1:
			*x = y
		case y != 1 && !same(*x, y):
			return nil, fmt.Errorf("%s and %s do not broadcast", tensor.ShapeString(a), tensor.ShapeString(b))
		}
	}
	return out, nil
}

func unary(in [][]int) ([]int, error) {
	if err := want(in, 1); err != nil {
		return nil, err
	}
	return in[0], nil
}

func (Activate) infer(in [][]int) ([]int, error) { return unary(in) }
func (Affine) infer(in [][]int) ([]int, error)   { return unary(in) }
func (Dropout) infer(in [][]int) ([]int, error)  { return unary(in) }

func (f FakeQuant) infer(in [][]int) ([]int, error) {
	if err := want(in, 1); err != nil {
		return nil, err
	}
	n := len(f.Scales)
	if n != 1 && (len(in[0]) == 0 || n != in[0][0]) {
		return nil, fmt.Errorf("%d scales for operand %s", n, tensor.ShapeString(in[0]))
	}
	if f.Type != tensor.Int8 && f.Type != tensor.Uint8 && f.Type != tensor.Int32 {
		return nil, fmt.Errorf("rounding to %s: want int8, uint8 or int32", f.Type)
	}
	return in[0], nil
}

func (s Softmax) infer(in [][]int) ([]int, error) {
	if err := want(in, 1); err != nil {
		return nil, err
	}
	return in[0], axisOf(in[0], s.Axis)
}

func axisOf(x []int, axis int) error {
	if axis < 0 || axis >= len(x) {
		return fmt.Errorf("axis %d of %s", axis, tensor.ShapeString(x))
	}
	return nil
}
