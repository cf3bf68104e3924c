package onednn_test

import (
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onednn"
)

// bfloat16Tolerance is a few roundings to 8 bits of mantissa.
const bfloat16Tolerance = 2e-2

// requires skips where the processor lacks the instructions.
func requires(t *testing.T, p graph.Precision) {
	if err := onednn.Supports(p); err != nil {
		t.Skip(err)
	}
}

func TestBFloat16(t *testing.T) {
	requires(t, graph.BF16)
	graphtest.Run(t, func(g *graph.Graph, w graph.Weights) (graphtest.Executor, error) {
		return onednn.Compile(g, w, onednn.Options{Threads: 2, Chunk: 3, Precision: graph.BF16})
	}, bfloat16Tolerance)
}

// int8Tolerance is two steps of 127: a sum in float32 may be rounded to the
// other side than one in float64, in several layers.
const int8Tolerance = 2. / 127

func TestInt8(t *testing.T) {
	requires(t, graph.INT8)
	graphtest.RunInt8(t, func(g *graph.Graph, w graph.Weights, s graph.Scales) (graphtest.Executor, error) {
		return onednn.Compile(g, w, onednn.Options{Threads: 2, Chunk: 3, Precision: graph.INT8, Scales: s})
	}, int8Tolerance)
}
