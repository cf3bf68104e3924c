package tsn_test

import (
	"slices"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/parity"
	"github.com/pptsn/pptsn/tsn"
)

// The generator of weights must be right before anything else can be.
func TestGeneratorParity(t *testing.T) {
	kit := parity.Open(t)
	var probe struct {
		Tensors []struct {
			Name  string
			Shape []int
			First []float64 `json:"first8"`
		}
	}
	kit.Read(t, "net/generator_probe.json", &probe)
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 400}, 3, 224, 224)
	if err != nil {
		t.Fatal(err)
	}
	weights, compared := kit.Weights(net), 0
	for _, p := range probe.Tensors {
		w, ok := weights[p.Name]
		if !ok || !slices.Equal(w.Shape, p.Shape) {
			continue // an input, or a parameter of another network
		}
		compared++
		if e := parity.Compare(w.Float32s(), p.First); e != 0 {
			t.Errorf("%s begins %v, want %v", p.Name, w.Float32s()[:len(p.First)], p.First)
		}
	}
	if compared == 0 {
		t.Error("the probe has none of the network's parameters")
	}
}

// Logits and activations of the reference through the plain evaluator.
func TestEvalParity(t *testing.T) {
	kit := parity.Open(t)
	for _, c := range kit.NetCases(t) {
		t.Run(c.Spec.Name, func(t *testing.T) {
			g, w := c.Build(t, kit)
			logits, watched := g.Outputs, c.EvalActivations[:len(c.EvalActivations)/2] // the rest is after training
			g.Outputs = nil
			for _, a := range watched {
				g.Outputs = append(g.Outputs, activation(t, g, a.Name))
			}
			g.Output(logits...)
			out, err := graph.Eval(g, w, c.Input(t, kit))
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range watched {
				if e := a.Error(kit, out[i]); e > parity.LogitTolerance {
					t.Errorf("activation %s: relative error %.2g, tolerance %.2g", a.Name, e, parity.LogitTolerance)
				}
			}
			if e := parity.CompareLogits(out[len(watched)], c.EvalLogits); e > parity.LogitTolerance {
				t.Errorf("logits: relative error %.2g, tolerance %.2g", e, parity.LogitTolerance)
			}
		})
	}
}

// activation finds what the reference calls a layer's output: ours carries the
// name of the last thing computed in it.
func activation(t *testing.T, g *graph.Graph, layer string) *graph.Value {
	t.Helper()
	if layer == "head.pooled" {
		layer = "head.consensus"
	}
	for _, suffix := range []string{"", ".relu", "._batch_norm"} {
		for _, n := range g.Nodes {
			if n.Out.Name == layer+suffix {
				return n.Out
			}
		}
	}
	t.Fatalf("no value for layer %q", layer)
	return nil
}
