package torch

import (
	"fmt"

	"github.com/pptsn/pptsn/tensor"
)

// A DType is the type of a tensor's elements; its value is c10::ScalarType's.
type DType int

// The types that pptsn uses.
const (
	Uint8    DType = 0
	Int32    DType = 3
	Int64    DType = 4
	Float16  DType = 5
	Float32  DType = 6
	Float64  DType = 7
	Bool     DType = 11
	BFloat16 DType = 15
)

var hostTypes = map[DType]tensor.Type{
	Uint8: tensor.Uint8, Int32: tensor.Int32, Int64: tensor.Int64, Float16: tensor.Float16,
	Float32: tensor.Float32, Float64: tensor.Float64, Bool: tensor.Bool, BFloat16: tensor.BFloat16,
}

// String is the type's name, such as "bfloat16".
func (d DType) String() string {
	if t, ok := hostTypes[d]; ok {
		return t.String()
	}
	return fmt.Sprintf("dtype %d", int(d))
}

// half says that a number takes 16 bits.
func (d DType) half() bool { return d == Float16 || d == BFloat16 }

func dtypeOf(t tensor.Type) (DType, error) {
	for d, host := range hostTypes {
		if host == t {
			return d, nil
		}
	}
	return 0, fmt.Errorf("torch: %s arrays have no tensor here", t)
}

// A Device is where tensors live and are computed. The zero value is the CPU.
type Device struct {
	CUDA  bool
	Index int // of the CUDA device
}

// CPU is the processor.
var CPU = Device{}

// CUDA is the i-th CUDA device, from 0.
func CUDA(i int) Device { return Device{CUDA: true, Index: i} }

// String is "cpu" or "cuda:0".
func (d Device) String() string {
	if !d.CUDA {
		return "cpu"
	}
	return fmt.Sprint("cuda:", d.Index)
}

// Memory formats of 4-D tensors, as c10::MemoryFormat numbers them.
const (
	contiguousFormat = 0
	channelsLast     = 2
)
