package pdmodel

import (
	"fmt"

	"github.com/pptsn/pptsn/tensor"
)

// A VarType is the type of a variable or of a tensor's elements; Paddle counts
// both in one list.
type VarType int32

// Those of framework.proto's VarType.Type that this package looks at.
const (
	Bool          VarType = 0
	Int16         VarType = 1
	Int32         VarType = 2
	Int64         VarType = 3
	Float16       VarType = 4
	Float32       VarType = 5
	Float64       VarType = 6
	LoDTensor     VarType = 7
	FeedMinibatch VarType = 9
	FetchList     VarType = 10
	Uint8         VarType = 20
	Int8          VarType = 21
	BFloat16      VarType = 22
	Complex64     VarType = 23
	Complex128    VarType = 24
)

// Tensor returns the element type of arrays of that type.
func (t VarType) Tensor() (elem tensor.Type, ok bool) {
	switch t {
	case Bool:
		elem = tensor.Bool
	case Int16:
		elem = tensor.Int16
	case Int32:
		elem = tensor.Int32
	case Int64:
		elem = tensor.Int64
	case Float16:
		elem = tensor.Float16
	case Float32:
		elem = tensor.Float32
	case Float64:
		elem = tensor.Float64
	case Uint8:
		elem = tensor.Uint8
	case Int8:
		elem = tensor.Int8
	case BFloat16:
		elem = tensor.BFloat16
	case Complex64:
		elem = tensor.Complex64
	case Complex128:
		elem = tensor.Complex128
	default:
		return 0, false
	}
	return elem, true
}

func (t VarType) isFloat() bool {
	return t == Float32 || t == Float16 || t == Float64 || t == BFloat16
}

// String is the element type's name, or the variable type's number.
func (t VarType) String() string {
	if elem, ok := t.Tensor(); ok {
		return elem.String()
	}
	return fmt.Sprintf("type %d", int32(t))
}
