package onnx

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/pptsn/pptsn/graph"
)

// Field numbers of onnx.proto, by message.
const (
	fieldModelIRVersion = 1
	fieldModelProducer  = 2
	fieldModelGraph     = 7
	fieldModelOpset     = 8
	fieldModelMetadata  = 14

	fieldOpsetVersion = 2

	fieldEntryKey   = 1
	fieldEntryValue = 2

	fieldGraphNode        = 1
	fieldGraphName        = 2
	fieldGraphInitializer = 5
	fieldGraphInput       = 11
	fieldGraphOutput      = 12

	fieldNodeInput     = 1
	fieldNodeOutput    = 2
	fieldNodeName      = 3
	fieldNodeOp        = 4
	fieldNodeAttribute = 5

	fieldAttributeName  = 1
	fieldAttributeFloat = 2
	fieldAttributeInt   = 3
	fieldAttributeInts  = 8
	fieldAttributeType  = 20

	fieldTensorDims    = 1
	fieldTensorType    = 2
	fieldTensorName    = 8
	fieldTensorRawData = 9

	fieldValueName  = 1
	fieldValueType  = 2
	fieldTypeTensor = 1
	fieldElemType   = 1
	fieldShape      = 2
	fieldShapeDim   = 1
	fieldDimValue   = 1
	fieldDimParam   = 2
)

// AttributeProto.AttributeType
const (
	attributeFloat = 1
	attributeInt   = 2
	attributeInts  = 7
)

// TensorProto.DataType
const (
	typeFloat   = 1
	typeUint8   = 2
	typeInt8    = 3
	typeInt32   = 6
	typeInt64   = 7
	typeFloat16 = 10
)

func appendInt(b []byte, field protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(int64(v)))
}

func appendFloat(b []byte, field protowire.Number, v float32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(b, field, protowire.Fixed32Type), math.Float32bits(v))
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendBytes(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}

// appendHeader begins a field of that many bytes, which the caller writes.
func appendHeader(b []byte, field protowire.Number, size int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(size))
}

// valueInfo is a ValueInfoProto of float32. An unknown dimension has no name,
// so that readers infer it, unless it is the first one and the batch.
func valueInfo(name string, shape []int, batch bool) []byte {
	var dims []byte
	for i, d := range shape {
		var dim []byte
		switch {
		case d != graph.Unknown:
			dim = appendInt(nil, fieldDimValue, d)
		case i == 0 && batch:
			dim = appendString(nil, fieldDimParam, "N")
		}
		dims = appendBytes(dims, fieldShapeDim, dim)
	}
	array := appendInt(nil, fieldElemType, typeFloat)
	array = appendBytes(array, fieldShape, dims)
	info := appendString(nil, fieldValueName, name)
	return appendBytes(info, fieldValueType, appendBytes(nil, fieldTypeTensor, array))
}

// An initializer is a constant of the graph: its TensorProto, as an entry of
// the graph, up to the data, and the data.
type initializer struct {
	head, data []byte
}

func newInitializer(name string, dataType int, shape []int, data []byte) initializer {
	var t []byte
	for _, d := range shape {
		t = appendInt(t, fieldTensorDims, d)
	}
	t = appendInt(t, fieldTensorType, dataType)
	t = appendString(t, fieldTensorName, name)
	t = appendHeader(t, fieldTensorRawData, int64(len(data)))
	head := appendHeader(nil, fieldGraphInitializer, int64(len(t)+len(data)))
	return initializer{head: append(head, t...), data: data}
}

// An attribute is an AttributeProto.
type attribute []byte

func intAttr(name string, v int) attribute {
	a := appendString(nil, fieldAttributeName, name)
	a = appendInt(a, fieldAttributeInt, v)
	return appendInt(a, fieldAttributeType, attributeInt)
}

func intsAttr(name string, v ...int) attribute {
	a := appendString(nil, fieldAttributeName, name)
	for _, x := range v {
		a = appendInt(a, fieldAttributeInts, x)
	}
	return appendInt(a, fieldAttributeType, attributeInts)
}

func floatAttr(name string, v float32) attribute {
	a := appendString(nil, fieldAttributeName, name)
	a = appendFloat(a, fieldAttributeFloat, v)
	return appendInt(a, fieldAttributeType, attributeFloat)
}
