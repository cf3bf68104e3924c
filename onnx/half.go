package onnx

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// floats writes constant numbers, given as float32, as the file has them.
func (b *builder) floats(name string, shape []int, data []byte) {
	if !b.half {
		b.initializer(name, typeFloat, shape, data)
		return
	}
	halves := make([]byte, 0, len(data)/2)
	for ; len(data) > 0; data = data[4:] {
		x := math.Float32frombits(binary.LittleEndian.Uint32(data))
		halves = binary.LittleEndian.AppendUint16(halves, halfBits(x))
	}
	b.initializer(name, typeFloat16, shape, halves)
}

// convertInputs lets the network read halves of its inputs.
func (b *builder) convertInputs() {
	if !b.half {
		return
	}
	for _, v := range b.g.Inputs {
		b.names[v] = b.chain(b.fresh(v.Name, "float16"), v.Name, castTo(typeFloat16))
	}
}

// resultName is what a node's result is called: as in the graph, where an
// output's conversion to float32 does not take that name.
func (b *builder) resultName(v *graph.Value) string {
	if b.half && slices.Contains(b.g.Outputs, v) {
		return b.fresh(v.Name, "float16")
	}
	return v.Name
}

func castTo(dataType int) step {
	return step{op: "Cast", attrs: []attribute{intAttr("to", dataType)}}
}

// halfBits is the IEEE half nearest to x, the even one of two; the largest one
// for numbers beyond it, which a layer can bear better than infinity.
func halfBits(x float32) uint16 {
	const largest = 65504
	bits := math.Float32bits(x)
	sign := uint16(bits >> 16 & 0x8000)
	switch a := math.Abs(float64(x)); {
	case a != a:
		return sign | 0x7e00
	case a > largest:
		return sign | 0x7bff
	case a < 0x1p-14: // subnormal: whole multiples of the least step
		return sign | uint16(math.RoundToEven(a*0x1p24))
	default: // a carry out of the mantissa raises the exponent, as it should
		rest := bits & 0x7fffffff
		return sign | uint16((rest+0xfff+rest>>13&1)>>13-(127-15)<<10)
	}
}
