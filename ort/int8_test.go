package ort_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onnx"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tsn"
)

// oneStep is what one 8-bit step more or less of a few values may change of the
// largest result: ONNX Runtime rounds sums that lie between two steps otherwise
// than the evaluator now and then.
const oneStep = 1. / 127

func TestInt8(t *testing.T) {
	needLibrary(t)
	graphtest.RunInt8(t, func(g *graph.Graph, w graph.Weights, s graph.Scales) (graphtest.Executor, error) {
		q, err := graph.Quantize(g, w, s, graph.QuantizeOptions{})
		if err != nil {
			return nil, err
		}
		o := ort.Options{Threads: 1}
		if len(s) > 0 { // a convolution or pool is there
			o.Precision = graph.INT8
		}
		return ort.Compile(q, w, o)
	}, oneStep)
}

// ONNX Runtime multiplies integers in every convolution, also in those that add
// where SplitSums has been at work; in the last one not, because the mean wants
// its sum unrounded. The form that TensorRT gets has the same meaning to it.
func TestInt8Operators(t *testing.T) {
	needLibrary(t)
	g, w, scales := quantised18(t)
	q, err := graph.Quantize(g, w, scales, graph.QuantizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := graph.Quantize(g, w, scales.AllSigned(), graph.QuantizeOptions{FloatBias: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		g    *graph.Graph
		want map[string]int // of 23 convolutions, 8 with a sum
	}{
		{"sums in floats", q, map[string]int{"QLinearConv": 15, "Conv": 8, "QLinearAdd": 0}},
		{"sums of integers", onnx.SplitSums(q), map[string]int{"QLinearConv": 22, "Conv": 1, "QLinearAdd": 7}},
		{"for TensorRT", signed, nil},
	} {
		file := filepath.Join(t.TempDir(), "optimised.onnx")
		e := compile(t, tc.g, w, ort.Options{Precision: graph.INT8, Optimized: file})
		ops := operators(t, file)
		for op, want := range tc.want {
			if ops[op] != want {
				t.Errorf("%s: %v, want %v", tc.name, ops, tc.want)
			}
		}
		in := random(2, 1, 3, 32, 32)
		want, wantErr := graph.Eval(tc.g, w, in)
		got, err := e.Run(t.Context(), in)
		if err := errors.Join(err, wantErr); err != nil {
			t.Fatal(err)
		}
		if err := graphtest.Compare(got[0], want[0], 4*oneStep); err != nil { // steps of 23 layers add up
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// quantised18 is PP-TSN-18's backbone for small pictures, and scales for it.
func quantised18(t *testing.T) (*graph.Graph, graph.Weights, graph.Scales) {
	t.Helper()
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 5}, 2, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	g, err := net.Graph.Bind([]int{1, 2, 3, 32, 32})
	if err != nil {
		t.Fatal(err)
	}
	g, w, err := graph.Optimize(g, net.Init(0.1, 1))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := graph.SplitRows(g)
	scales, err := graphtest.Scales(body, w, random(1, 1, 3, 32, 32))
	if err != nil {
		t.Fatal(err)
	}
	return body, w, scales
}

// operators counts the nodes of an ONNX file by op_type.
func operators(t *testing.T, path string) map[string]int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, g := range fields(t, data, 7) { // ModelProto.graph
		for _, n := range fields(t, g, 1) { // GraphProto.node
			for _, op := range fields(t, n, 4) { // NodeProto.op_type
				counts[string(op)]++
			}
		}
	}
	return counts
}

// fields are the values of one field of a protobuf message, of wire type 2.
func fields(t *testing.T, message []byte, field protowire.Number) [][]byte {
	t.Helper()
	var values [][]byte
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		message = message[n:]
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		if number == field && kind == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(message)
			values = append(values, v)
		}
		message = message[n:]
	}
	return values
}
