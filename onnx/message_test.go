package onnx_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onnx"
)

// A message is a decoded protobuf message: field number to values, in order.
// Numbers in these tests are those of onnx.proto.
type message map[protowire.Number][]any // uint64, uint32 or []byte

func decode(t *testing.T, b []byte) message {
	t.Helper()
	m := message{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var v any
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			v, n = protowire.ConsumeFixed32(b)
		case protowire.BytesType:
			v, n = protowire.ConsumeBytes(b)
		default:
			t.Fatalf("field %d has wire type %d", field, kind)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		m[field], b = append(m[field], v), b[n:]
	}
	return m
}

func (m message) text(field protowire.Number) string {
	if len(m[field]) == 0 {
		return ""
	}
	return string(m[field][0].([]byte))
}

func (m message) texts(field protowire.Number) []string {
	var s []string
	for _, v := range m[field] {
		s = append(s, string(v.([]byte)))
	}
	return s
}

func (m message) ints(field protowire.Number) []int {
	var s []int
	for _, v := range m[field] {
		s = append(s, int(int64(v.(uint64))))
	}
	return s
}

func (m message) sub(t *testing.T, field protowire.Number) []message {
	t.Helper()
	var s []message
	for _, v := range m[field] {
		s = append(s, decode(t, v.([]byte)))
	}
	return s
}

// A node is a NodeProto; attributes of any type are slices.
type node struct {
	name, op   string
	in, out    []string
	attributes map[string]any // []int or float32
}

// A file is what these tests look at of a ModelProto.
type file struct {
	model   message
	graph   message
	nodes   []node
	ints    map[string][]int     // constants by name, and the bits of float16
	floats  map[string][]float32 // weights and constants by name
	types   map[string]string    // of both: TensorProto.DataType and dimensions
	inputs  map[string][]any     // dimensions: int, or string if named, or nil
	outputs map[string][]any
}

func write(t *testing.T, g *graph.Graph, w graph.Weights, o onnx.Options) file {
	t.Helper()
	var b bytes.Buffer
	if err := onnx.Write(&b, g, w, o); err != nil {
		t.Fatal(err)
	}
	f := file{model: decode(t, b.Bytes()), ints: map[string][]int{}, floats: map[string][]float32{}, types: map[string]string{}}
	f.graph = f.model.sub(t, 7)[0]
	for _, n := range f.graph.sub(t, 1) {
		f.nodes = append(f.nodes, node{n.text(3), n.text(4), n.texts(1), n.texts(2), attributes(t, n)})
	}
	for _, c := range f.graph.sub(t, 5) {
		f.constant(t, c)
	}
	f.inputs, f.outputs = dimensions(t, f.graph.sub(t, 11)), dimensions(t, f.graph.sub(t, 12))
	return f
}

func attributes(t *testing.T, n message) map[string]any {
	all := map[string]any{}
	for _, a := range n.sub(t, 5) {
		switch kind := a.ints(20)[0]; kind {
		case 1: // FLOAT
			all[a.text(1)] = math.Float32frombits(a[2][0].(uint32))
		case 2: // INT
			all[a.text(1)] = a.ints(3)
		case 7: // INTS
			all[a.text(1)] = a.ints(8)
		default:
			t.Fatalf("attribute %s has type %d", a.text(1), kind)
		}
	}
	return all
}

func (f file) constant(t *testing.T, c message) {
	count, data, name := 1, c[9][0].([]byte), c.text(8)
	for _, d := range c.ints(1) {
		count *= d
	}
	kind := c.ints(2)[0]
	size := map[int]int{1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 10: 2}[kind]
	if size == 0 || len(data) != size*count {
		t.Fatalf("%s: type %d, dimensions %v, %d bytes", name, kind, c.ints(1), len(data))
	}
	f.types[name] = fmt.Sprint(kind, c.ints(1))
	for ; len(data) > 0; data = data[size:] {
		switch kind {
		case 1: // FLOAT
			f.floats[name] = append(f.floats[name], math.Float32frombits(binary.LittleEndian.Uint32(data)))
		case 2: // UINT8
			f.ints[name] = append(f.ints[name], int(data[0]))
		case 3: // INT8
			f.ints[name] = append(f.ints[name], int(int8(data[0])))
		case 6: // INT32
			f.ints[name] = append(f.ints[name], int(int32(binary.LittleEndian.Uint32(data))))
		case 10: // FLOAT16, its bits
			f.ints[name] = append(f.ints[name], int(binary.LittleEndian.Uint16(data)))
		case 7: // INT64
			f.ints[name] = append(f.ints[name], int(binary.LittleEndian.Uint64(data)))
		}
	}
}

func dimensions(t *testing.T, values []message) map[string][]any {
	all := map[string][]any{}
	for _, v := range values {
		array := v.sub(t, 2)[0].sub(t, 1)[0]
		if kind := array.ints(1)[0]; kind != 1 {
			t.Fatalf("%s has element type %d", v.text(1), kind)
		}
		dims := []any{}
		for _, d := range array.sub(t, 2)[0].sub(t, 1) {
			switch {
			case d[1] != nil:
				dims = append(dims, d.ints(1)[0])
			case d[2] != nil:
				dims = append(dims, d.text(2))
			default:
				dims = append(dims, nil)
			}
		}
		all[v.text(1)] = dims
	}
	return all
}
