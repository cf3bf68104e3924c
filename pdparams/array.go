package pdparams

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

// A dtype is a numpy type of element.
type dtype struct {
	typ tensor.Type
	big bool // big-endian
}

// An array is a numpy array whose elements are still in the file.
type array struct {
	dtype
	off     int64 // of the opcode that made it
	shape   []int
	fortran bool // the first axis varies fastest
	data    *pickle.Blob
}

// Kind describes d for an error.
func (d *dtype) Kind() string { return "numpy.dtype" }

// Kind describes a for an error.
func (a *array) Kind() string { return "an array" }

// dtypes are numpy's codes of the types of a tensor: a kind and a size.
// Paddle stores bfloat16 as u2.
var dtypes = map[string]tensor.Type{
	"b1": tensor.Bool,
	"u1": tensor.Uint8, "u2": tensor.Uint16, "u4": tensor.Uint32, "u8": tensor.Uint64,
	"i1": tensor.Int8, "i2": tensor.Int16, "i4": tensor.Int32, "i8": tensor.Int64,
	"f2": tensor.Float16, "f4": tensor.Float32, "f8": tensor.Float64,
	"c8": tensor.Complex64, "c16": tensor.Complex128,
}

// newDtype is numpy.dtype(code, align, copy).
func newDtype(m *pickle.Machine, args Tuple) any {
	if len(args) == 0 {
		m.Fail("numpy.dtype without a type")
	}
	t, ok := args[0].(*pickle.Text)
	if !ok {
		m.Unsupported("numpy.dtype of %s", pickle.Kind(args[0]))
	}
	code := m.Str(t)
	typ, ok := dtypes[code]
	switch {
	case ok:
		return &dtype{typ: typ}
	case len(code) > 0 && code[0] == 'O':
		m.Unsupported("an array of Python objects")
	}
	m.Unsupported("an array of numpy's type %.20q", code)
	return nil
}

// SetState takes (version, byte order, subarray, names, fields, ...).
func (d *dtype) SetState(m *pickle.Machine, state any) {
	s, ok := state.(Tuple)
	if !ok || len(s) < 5 {
		m.Fail("numpy.dtype with state %s", pickle.Kind(state))
	}
	if s[2] != nil || s[3] != nil || s[4] != nil {
		m.Unsupported("an array of records")
	}
	switch {
	case m.Is(s[1], ">"):
		d.big = true
	case m.Is(s[1], "<"), m.Is(s[1], "|"), m.Is(s[1], "="):
		d.big = false
	default:
		m.Fail("numpy.dtype with byte order %s", pickle.Kind(s[1]))
	}
}

// reconstruct is numpy's _reconstruct(ndarray, shape, type): an array that
// still lacks its state.
func reconstruct(m *pickle.Machine, args Tuple) any {
	if len(args) != 3 {
		m.Fail("an array made of %s", pickle.Kind(args))
	}
	if g, ok := args[0].(*pickle.Global); !ok || g.Name != "numpy.ndarray" {
		m.Unsupported("an array of class %s", pickle.Kind(args[0]))
	}
	return &array{off: m.Op}
}

// SetState takes (version, shape, type, Fortran order, bytes).
func (a *array) SetState(m *pickle.Machine, state any) {
	s, ok := state.(Tuple)
	if !ok || len(s) != 5 {
		m.Fail("an array with state %s", pickle.Kind(state))
	}
	fortran, ok := s[3].(bool)
	if !ok {
		m.Fail("an array whose order is %s", pickle.Kind(s[3]))
	}
	a.set(m, s[1], s[2], fortran, s[4])
}

// fromBuffer is numpy's _frombuffer(bytes, type, shape, order).
func fromBuffer(m *pickle.Machine, args Tuple) any {
	if len(args) != 4 {
		m.Fail("an array made of %s", pickle.Kind(args))
	}
	a := &array{off: m.Op}
	fortran := m.Is(args[3], "F")
	if !fortran && !m.Is(args[3], "C") {
		m.Fail("an array whose order is %s", pickle.Kind(args[3]))
	}
	a.set(m, args[2], args[1], fortran, args[0])
	return a
}

// set checks that shape, type and bytes belong together.
func (a *array) set(m *pickle.Machine, shape, typ any, fortran bool, data any) {
	dt, ok := typ.(*dtype)
	if !ok {
		m.Fail("an array whose type is %s", pickle.Kind(typ))
	}
	b, ok := pickle.BytesOf(data)
	if !ok {
		m.Fail("an array whose elements are %s", pickle.Kind(data))
	}
	a.dtype, a.shape, a.fortran, a.data = *dt, readShape(m, shape), fortran, b
	n, ok := tensor.CheckedCount(a.shape)
	least, most := b.Bounds()
	size := int64(a.typ.Size())
	if !ok || int64(n) > most/size || int64(n)*size < least {
		m.Fail("shape %.200s of %s does not fit %d bytes of data", tensor.ShapeString(a.shape), a.typ, most)
	}
}

// maxAxes is numpy 2's limit.
const maxAxes = 64

// readShape reads a tuple or list of sizes.
func readShape(m *pickle.Machine, v any) []int {
	var dims []any
	switch v := v.(type) {
	case Tuple:
		dims = v
	case *pickle.List:
		dims = v.Items
	default:
		m.Fail("a shape that is %s", pickle.Kind(v))
	}
	if len(dims) > maxAxes {
		m.Fail("a shape of %d axes", len(dims))
	}
	shape := make([]int, len(dims))
	for i, d := range dims {
		n, ok := d.(int64)
		if !ok || n < 0 || int64(int(n)) != n {
			m.Fail("axis %d of a shape is %s", i, pickle.Kind(d))
		}
		shape[i] = int(n)
	}
	return shape
}

// scalar is numpy's scalar(type, bytes): it becomes a plain number.
func scalar(m *pickle.Machine, args Tuple) any {
	if len(args) != 2 {
		m.Fail("a numpy scalar made of %s", pickle.Kind(args))
	}
	a := &array{off: m.Op}
	a.set(m, Tuple(nil), args[0], false, args[1])
	d := tensor.New(a.typ)
	m.Check(a.read(m.Src, d.Data))
	return number(d)
}

// number is the one element of d.
func number(d *tensor.Dense) any {
	if v, err := d.Int64s(); err == nil {
		switch {
		case d.Type == tensor.Bool:
			return v[0] != 0
		case d.Type == tensor.Uint64 && v[0] < 0:
			return new(big.Int).SetUint64(uint64(v[0]))
		}
		return v[0]
	}
	switch d.Type {
	case tensor.Float64:
		return float64At(d.Data)
	case tensor.Complex64:
		return complex(float32At(d.Data), float32At(d.Data[4:]))
	case tensor.Complex128:
		return complex(float64At(d.Data), float64At(d.Data[8:]))
	}
	f, _ := d.Float32() // Float16 and Float32, exact
	return float64(f.Float32s()[0])
}

func float32At(b []byte) float64 {
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
}

func float64At(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
