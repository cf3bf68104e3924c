// Package tensor holds dense arrays with a shape, in host memory.
//
// A tensor is the common currency of the file formats, the graph evaluator and
// the engines: its bytes are little-endian, row-major (the last axis varies
// fastest) and without padding, which is also how numpy, Paddle and ONNX store
// an array.
package tensor

import (
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// A Dense is a dense array. Len(Data) == Count(Shape) * Type.Size().
type Dense struct {
	Type  Type
	Shape []int // no axes: a scalar with one element
	Data  []byte
}

// New returns a zeroed array. Its memory is aligned for every element type.
func New(t Type, shape ...int) *Dense {
	n := Count(shape) * t.Size()
	words := make([]uint64, (n+7)/8) // 8-byte alignment, which []byte does not promise
	data := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), n)
	return &Dense{Type: t, Shape: slices.Clone(shape), Data: data}
}

// FromFloat32 returns an array that shares v's memory.
// It panics if v does not have exactly as many elements as the shape.
func FromFloat32(v []float32, shape ...int) *Dense {
	if len(v) != Count(shape) {
		panic(fmt.Sprintf("tensor: %d values for shape %v", len(v), shape))
	}
	data := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*4)
	return &Dense{Type: Float32, Shape: slices.Clone(shape), Data: data}
}

// Len is the number of elements.
func (d *Dense) Len() int { return Count(d.Shape) }

// Float32s returns the elements of a Float32 array, sharing its memory.
// It panics for any other type: use Convert first.
func (d *Dense) Float32s() []float32 {
	if d.Type != Float32 {
		panic("tensor: Float32s of " + d.Type.String())
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(d.Data))), len(d.Data)/4)
}

// Int64s returns a copy of an integer or Bool array's elements.
func (d *Dense) Int64s() ([]int64, error) {
	if !d.Type.IsInteger() {
		return nil, fmt.Errorf("tensor: %s is not an integer type", d.Type)
	}
	out := make([]int64, d.Len())
	for i := range out {
		out[i] = d.integer(i)
	}
	return out, nil
}

// Reshape returns the same elements under another shape of the same size.
func (d *Dense) Reshape(shape ...int) *Dense {
	if Count(shape) != d.Len() {
		panic(fmt.Sprintf("tensor: reshape %v to %v", d.Shape, shape))
	}
	return &Dense{Type: d.Type, Shape: slices.Clone(shape), Data: d.Data}
}

// Clone returns a copy with its own memory.
func (d *Dense) Clone() *Dense {
	c := New(d.Type, d.Shape...)
	copy(c.Data, d.Data)
	return c
}

// Float32 returns d itself if it already is Float32, else a converted copy.
// Complex arrays cannot be converted.
func (d *Dense) Float32() (*Dense, error) {
	if d.Type == Float32 {
		return d, nil
	}
	if !d.Type.IsInteger() && !d.Type.isFloat() {
		return nil, fmt.Errorf("tensor: cannot convert %s to float32", d.Type)
	}
	out := New(Float32, d.Shape...)
	v := out.Float32s()
	for i := range v {
		v[i] = d.float(i)
	}
	return out, nil
}

// String describes the array without its elements: "float32 [64, 3, 7, 7]".
func (d *Dense) String() string { return d.Type.String() + " " + ShapeString(d.Shape) }

// Count is the number of elements of a shape; 1 for a scalar.
func Count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// CheckedCount is Count for shapes read from a file: ok is false if a dimension
// is negative or the product exceeds math.MaxInt.
func CheckedCount(shape []int) (n int, ok bool) {
	n = 1
	for _, d := range shape {
		if d < 0 || (d > 0 && n > math.MaxInt/d) {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// ShapeString formats a shape as "[64, 3, 7, 7]".
func ShapeString(shape []int) string {
	s := "["
	for i, d := range shape {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprint(d)
	}
	return s + "]"
}
