package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// fakeQuant writes a rounding: of a parameter as the integers that it is rounded
// to and DequantizeLinear, of anything else as QuantizeLinear and
// DequantizeLinear. That is the form in which ONNX Runtime and TensorRT look for
// layers that they can compute with integers. Zero points are 0.
func (b *builder) fakeQuant(n *graph.Node, weights graph.Weights) error {
	op, x, name := n.Op.(graph.FakeQuant), n.In[0], n.Out.Name
	if b.half {
		return fmt.Errorf("a quantised graph cannot be written in float16")
	}
	dataType, ok := integerTypes[op.Type]
	if !ok {
		return fmt.Errorf("there is no rounding to %s in ONNX", op.Type)
	}
	operands, attrs := b.rounding(name, op, dataType)
	dequantize := step{"DequantizeLinear", operands, attrs}
	if x.Param {
		integers := b.fresh(name, "integers")
		b.initializer(integers, dataType, x.Shape, integerBytes(op, weights[x.Name]))
		b.names[n.Out] = b.chain(name, integers, dequantize)
		return nil
	}
	if op.Type == tensor.Int32 {
		return fmt.Errorf("QuantizeLinear has no int32: only parameters can be rounded to it")
	}
	b.names[n.Out] = b.chain(name, b.names[x], step{"QuantizeLinear", operands, attrs}, dequantize)
	return nil
}

// integerTypes are the TensorProto.DataType of integers that stand for numbers.
var integerTypes = map[tensor.Type]int{tensor.Int8: typeInt8, tensor.Uint8: typeUint8, tensor.Int32: typeInt32}

// rounding writes scales and zero points, of all elements or of each position
// of the first axis.
func (b *builder) rounding(name string, op graph.FakeQuant, dataType int) ([]string, []attribute) {
	var shape []int
	var attrs []attribute
	if len(op.Scales) > 1 {
		shape, attrs = []int{len(op.Scales)}, []attribute{intAttr("axis", 0)}
	}
	var scales []byte
	for _, s := range op.Scales {
		scales = binary.LittleEndian.AppendUint32(scales, math.Float32bits(s))
	}
	operands := []string{b.fresh(name, "scale"), b.fresh(name, "zero_point")}
	b.initializer(operands[0], typeFloat, shape, scales)
	b.initializer(operands[1], dataType, shape, make([]byte, len(op.Scales)*integerSize(op)))
	return operands, attrs
}

func integerSize(op graph.FakeQuant) int {
	if op.Type == tensor.Int32 {
		return 4
	}
	return 1
}

// integerBytes are the integers that x is rounded to.
func integerBytes(op graph.FakeQuant, x *tensor.Dense) []byte {
	var data []byte
	for _, q := range op.Quantized(x) {
		if integerSize(op) == 4 {
			data = binary.LittleEndian.AppendUint32(data, uint32(int32(q)))
		} else {
			data = append(data, byte(int(q))) // of either sign
		}
	}
	return data
}

// asFloats are the parameters that something reads other than a rounding. The
// others are in the file as integers alone.
func asFloats(g *graph.Graph) []*graph.Value {
	read := map[*graph.Value]bool{}
	for _, v := range g.Outputs {
		read[v] = true
	}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			if _, rounding := n.Op.(graph.FakeQuant); !rounding {
				read[v] = true
			}
		}
	}
	var params []*graph.Value
	for _, p := range g.Params {
		if read[p] {
			params = append(params, p)
		}
	}
	return params
}
