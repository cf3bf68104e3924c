package tensor

import (
	"encoding/binary"
	"math"
)

// A Type is the type of an array's elements.
type Type uint8

// The element types that Paddle and numpy files hold.
const (
	Bool Type = iota + 1
	Uint8
	Uint16
	Uint32
	Uint64
	Int8
	Int16
	Int32
	Int64
	Float16
	BFloat16
	Float32
	Float64
	Complex64
	Complex128
)

var types = [...]struct {
	name string
	size int // bytes
}{
	Bool: {"bool", 1}, Uint8: {"uint8", 1}, Uint16: {"uint16", 2}, Uint32: {"uint32", 4}, Uint64: {"uint64", 8},
	Int8: {"int8", 1}, Int16: {"int16", 2}, Int32: {"int32", 4}, Int64: {"int64", 8},
	Float16: {"float16", 2}, BFloat16: {"bfloat16", 2}, Float32: {"float32", 4}, Float64: {"float64", 8},
	Complex64: {"complex64", 8}, Complex128: {"complex128", 16},
}

// Size is the number of bytes of one element.
func (t Type) Size() int { return types[t].size }

// String is numpy's name of the type, and "bfloat16".
func (t Type) String() string {
	if int(t) >= len(types) || types[t].size == 0 {
		return "invalid"
	}
	return types[t].name
}

// IsInteger reports whether t is a signed or unsigned integer or Bool.
func (t Type) IsInteger() bool { return t >= Bool && t <= Int64 }

func (t Type) isFloat() bool { return t >= Float16 && t <= Float64 }

// integer returns element i of an integer array; Uint64 wraps above MaxInt64.
func (d *Dense) integer(i int) int64 {
	b := d.Data[i*d.Type.Size():]
	switch d.Type {
	case Bool, Uint8:
		return int64(b[0])
	case Int8:
		return int64(int8(b[0]))
	case Uint16:
		return int64(binary.LittleEndian.Uint16(b))
	case Int16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case Uint32:
		return int64(binary.LittleEndian.Uint32(b))
	case Int32:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	default: // Int64, Uint64
		return int64(binary.LittleEndian.Uint64(b))
	}
}

// float returns element i as float32, rounded to nearest even.
func (d *Dense) float(i int) float32 {
	b := d.Data[i*d.Type.Size():]
	switch d.Type {
	case Float16:
		return halfToFloat(binary.LittleEndian.Uint16(b))
	case BFloat16:
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
	case Float32:
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	case Float64:
		return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case Uint64:
		return float32(binary.LittleEndian.Uint64(b))
	default:
		return float32(d.integer(i))
	}
}

// halfToFloat converts IEEE 754 binary16, subnormals, infinities and NaN included.
func halfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exp {
	case 0:
		v := float32(frac) / (1 << 24) // subnormal: frac * 2^-24, exact
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	default:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	}
}
