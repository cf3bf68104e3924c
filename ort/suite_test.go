package ort_test

import (
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/ort"
)

func TestEngine(t *testing.T) {
	needLibrary(t)
	graphtest.Run(t, func(g *graph.Graph, w graph.Weights) (graphtest.Executor, error) {
		return ort.Compile(g, w, ort.Options{})
	}, 1e-5)
}

// Graphs as engines are given them: optimised.
func TestEngineOptimised(t *testing.T) {
	needLibrary(t)
	graphtest.Run(t, func(g *graph.Graph, w graph.Weights) (graphtest.Executor, error) {
		g, w, err := graph.Optimize(g, w)
		if err != nil {
			return nil, err
		}
		return ort.Compile(g, w, ort.Options{Threads: 1})
	}, 1e-5)
}
