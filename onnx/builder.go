package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/graph"
)

// A builder collects the parts of a GraphProto.
type builder struct {
	g            *graph.Graph
	nodes        []byte // entries of the graph
	initializers []initializer
	names        map[*graph.Value]string // in the file; another value's where a node does nothing
	taken        map[string]bool
	outputs      []string // names in the file
	half         bool     // numbers between inputs and outputs are float16
}

func newBuilder(g *graph.Graph) *builder {
	b := &builder{g: g, names: map[*graph.Value]string{}, taken: map[string]bool{}}
	for _, v := range slices.Concat(g.Inputs, g.Params) {
		b.names[v], b.taken[v.Name] = v.Name, true
	}
	for _, n := range g.Nodes {
		b.taken[n.Out.Name] = true
	}
	b.outputs = b.outputNames()
	return b
}

// A step is one ONNX operator in a chain: its first operand is what the step
// before computed.
type step struct {
	op    string
	in    []string // further operands
	attrs []attribute
}

// chain writes operators one after another, of which the first reads x, and
// returns the name of the last result, which is name; x if there are none.
func (b *builder) chain(name, x string, steps ...step) string {
	for i, s := range steps {
		out := name
		if i < len(steps)-1 {
			out = b.fresh(name, strings.ToLower(s.op))
		}
		b.node(s.op, out, append([]string{x}, s.in...), s.attrs)
		x = out
	}
	return x
}

// node writes one NodeProto, which has the name of its result.
func (b *builder) node(op, out string, in []string, attrs []attribute) {
	var n []byte
	for _, name := range in {
		n = appendString(n, fieldNodeInput, name)
	}
	n = appendString(n, fieldNodeOutput, out)
	n = appendString(n, fieldNodeName, out)
	n = appendString(n, fieldNodeOp, op)
	for _, a := range attrs {
		n = appendBytes(n, fieldNodeAttribute, a)
	}
	b.nodes = appendBytes(b.nodes, fieldGraphNode, n)
}

// fresh returns "name/part", or that with a number if it exists.
func (b *builder) fresh(name, part string) string {
	s := name + "/" + part
	for i := 2; b.taken[s]; i++ {
		s = fmt.Sprintf("%s/%s_%d", name, part, i)
	}
	b.taken[s] = true
	return s
}

func (b *builder) initializer(name string, dataType int, shape []int, data []byte) {
	b.initializers = append(b.initializers, newInitializer(name, dataType, shape, data))
}

// ints writes a constant list of integers and returns its name.
func (b *builder) ints(name, part string, v ...int) string {
	var data []byte
	for _, x := range v {
		data = binary.LittleEndian.AppendUint64(data, uint64(int64(x)))
	}
	name = b.fresh(name, part)
	b.initializer(name, typeInt64, []int{len(v)}, data)
	return name
}

// scalar writes a constant number and returns its name.
func (b *builder) scalar(name, part string, v float32) string {
	name = b.fresh(name, part)
	b.floats(name, nil, binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
	return name
}

// outputNames names the results in the file: as in the graph, but for inputs
// and parameters that are results too, and for what is listed a second time.
func (b *builder) outputNames() []string {
	names, used := make([]string, len(b.g.Outputs)), map[string]bool{}
	for v := range b.names { // inputs and parameters so far
		used[v.Name] = true
	}
	for i, v := range b.g.Outputs {
		names[i] = v.Name
		if used[v.Name] {
			names[i] = b.fresh(v.Name, "output")
		}
		used[v.Name] = true
	}
	return names
}

// results are the graph's entries for its results. What no operator computes
// under its name is copied there.
func (b *builder) results() []byte {
	var entries []byte
	batch := followBatch(b.g)
	for i, v := range b.g.Outputs {
		switch {
		case b.half:
			b.chain(b.outputs[i], b.names[v], castTo(typeFloat))
		case b.names[v] != b.outputs[i]:
			b.chain(b.outputs[i], b.names[v], step{op: "Identity"})
		}
		entries = appendBytes(entries, fieldGraphOutput, valueInfo(b.outputs[i], v.Shape, batch[i]))
	}
	return entries
}

// followBatch reports of each output whether its first dimension is that of
// the first input, found out by trying two batch sizes. It tells nothing, which
// is allowed, of a graph that has other unknown dimensions.
func followBatch(g *graph.Graph) []bool {
	follows := make([]bool, len(g.Outputs))
	if len(g.Inputs) == 0 || len(g.Inputs[0].Shape) == 0 || g.Inputs[0].Shape[0] != graph.Unknown {
		return follows
	}
	for n := 2; n <= 3; n++ {
		shapes := make([][]int, len(g.Inputs))
		for i, v := range g.Inputs {
			shapes[i] = slices.Clone(v.Shape)
		}
		shapes[0][0] = n
		bound, err := g.Bind(shapes...)
		if err != nil {
			return make([]bool, len(g.Outputs))
		}
		for i, v := range bound.Outputs {
			follows[i] = (n == 2 || follows[i]) && len(v.Shape) > 0 && v.Shape[0] == n
		}
	}
	return follows
}
