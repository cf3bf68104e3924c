package onednn_test

import (
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onednn"
)

// tolerance of float32 sums against float64 ones, relative to the largest
// result.
const tolerance = 1e-5

func TestSuite(t *testing.T) {
	for _, o := range []onednn.Options{{}, {Threads: 1, Chunk: 1}, {Threads: 2, Chunk: 3}} {
		t.Run(optionsName(o), func(t *testing.T) {
			graphtest.Run(t, func(g *graph.Graph, w graph.Weights) (graphtest.Executor, error) {
				return onednn.Compile(g, w, o)
			}, tolerance)
		})
	}
}
