// Package onnx writes a graph as an ONNX file.
//
// A file is a ModelProto in protobuf's binary format, described in
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (IR version 8). It is
// written for operator set 18, which TensorRT 8.6, ONNX Runtime 1.14 and
// OpenVINO read. Later sets bring nothing that our operations need, and from 19
// on ONNX Runtime averages wrongly over padding that counts
// (https://github.com/microsoft/onnxruntime/issues/24681), before version 1.30
// slowly too.
//
// The graph is written as it stands, without optimisation; ONNX Runtime and
// TensorRT fuse by themselves, and an optimised graph comes out smaller. A node
// keeps its name; where it takes several ONNX operators the last one has the
// name and the others are called "name/operator". A FakeQuant becomes
// QuantizeLinear and DequantizeLinear, see graph.Quantize.
package onnx

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// Opset is the operator set that files are written for.
const Opset = 18

const irVersion = 8 // of the file format, which came with operator set 15

// Options says what a file holds beside the graph.
type Options struct {
	// Metadata are pairs of key and value that ONNX Runtime hands to whoever
	// asks, such as labels and the preprocessing.
	Metadata map[string]string

	// Float16 makes every number between inputs and outputs an IEEE half;
	// these stay float32. Not for quantised graphs.
	Float16 bool
}

// A SizeError reports a model beyond the 2 GiB that a protobuf message can
// hold.
type SizeError struct {
	Bytes int64 // that the file would have
}

// Error names the size and the limit.
func (e *SizeError) Error() string {
	return fmt.Sprintf("onnx: the model takes %d bytes, but an ONNX file cannot hold more than %d", e.Bytes, math.MaxInt32)
}

// Write writes g and its weights to w. An unknown first dimension of the first
// input is called N in the file. The graph and its weights must fit each other
// (graph.WeightsError if not); models over 2 GiB give a SizeError before
// anything is written.
func Write(w io.Writer, g *graph.Graph, weights graph.Weights, o Options) error {
	if err := check(g, weights); err != nil {
		return err
	}
	b := newBuilder(g)
	b.half = o.Float16
	for _, p := range asFloats(g) {
		b.floats(p.Name, p.Shape, weights[p.Name].Data)
	}
	b.convertInputs()
	for _, n := range g.Nodes {
		if err := b.add(n, weights); err != nil {
			return fmt.Errorf("onnx: node %s: %w", n.Out.Name, err)
		}
	}
	return b.writeModel(w, o)
}

// OutputNames are the names of g's results in the file that Write makes of it:
// the graph's, but an input, a parameter or a second listing of a result gets a
// new one.
func OutputNames(g *graph.Graph) []string { return newBuilder(g).outputs }

func check(g *graph.Graph, weights graph.Weights) error {
	if err := g.Check(); err != nil {
		return fmt.Errorf("onnx: %w", err)
	}
	if err := g.CheckWeights(weights); err != nil {
		return fmt.Errorf("onnx: %w", err)
	}
	var size int64
	for _, p := range asFloats(g) {
		size += int64(tensor.Count(p.Shape)) * 4
	}
	if size > math.MaxInt32 {
		return &SizeError{Bytes: size}
	}
	names := slices.Concat(g.Inputs, g.Params, g.Outputs)
	for _, n := range g.Nodes {
		names = append(names, n.Out)
	}
	for _, v := range names {
		if v.Name == "" || !utf8.ValidString(v.Name) {
			return fmt.Errorf("onnx: %q is no name that a file can hold", v.Name)
		}
	}
	return nil
}

// writeModel puts the parts of the file together. The weights are written from
// where they are, not copied.
func (b *builder) writeModel(w io.Writer, o Options) error {
	outputs := b.results() // may add nodes
	graph := appendString(slices.Clone(b.nodes), fieldGraphName, b.g.Name)
	for i, v := range b.g.Inputs {
		graph = appendBytes(graph, fieldGraphInput, valueInfo(v.Name, v.Shape, i == 0))
	}
	graph = append(graph, outputs...)
	graphSize := int64(len(graph))
	for _, t := range b.initializers {
		graphSize += int64(len(t.head) + len(t.data))
	}
	head := modelHead(o, graphSize)
	size := int64(len(head)) + graphSize
	if size > math.MaxInt32 {
		return &SizeError{Bytes: size}
	}
	if buffer, ok := w.(*bytes.Buffer); ok {
		buffer.Grow(int(size)) // once, not by doubling
	}
	parts := [][]byte{head, graph}
	for _, t := range b.initializers {
		parts = append(parts, t.head, t.data)
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return fmt.Errorf("onnx: %w", err)
		}
	}
	return nil
}

// modelHead is the model up to where its graph of that size begins.
func modelHead(o Options, graphSize int64) []byte {
	head := appendInt(nil, fieldModelIRVersion, irVersion)
	head = appendString(head, fieldModelProducer, "pptsn")
	head = appendBytes(head, fieldModelOpset, appendInt(nil, fieldOpsetVersion, Opset))
	for _, k := range slices.Sorted(maps.Keys(o.Metadata)) {
		pair := appendString(nil, fieldEntryKey, k)
		pair = appendString(pair, fieldEntryValue, o.Metadata[k])
		head = appendBytes(head, fieldModelMetadata, pair)
	}
	return appendHeader(head, fieldModelGraph, graphSize)
}
