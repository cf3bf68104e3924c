package quantize

import (
	"testing"

	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

func mustJob(t *testing.T, o Options) *job {
	t.Helper()
	j, err := newJob(o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// noisyScales are the toy's scales for noise.
func noisyScales(t *testing.T, j *job) graph.Scales {
	t.Helper()
	h := hold(j.net.whole, nil)
	run, err := open(j.net.body, j.net.w, onednn.Options{Threads: 1}, h.values()...)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	c := newCalibration(h.values())
	for seed := range uint64(8) {
		got, err := run.run(t.Context(), noiseViews(seed, 3))
		if err == nil {
			err = c.add(got)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return h.scales(c.counts, largest)
}

// What oneDNN computes with integers is what the graph of roundings says, in
// plain Go. A value that lies in the middle of two steps, a pool's mean above
// all, may come out as either: on average that is far less than what int8 costs.
func TestIntegersAgainstEvaluator(t *testing.T) {
	j := mustJob(t, Options{Bundle: toy(t), Spec: toySpec, Threads: 1})
	s := noisyScales(t, j)
	q, err := graph.Quantize(j.net.body, j.net.w, within(j.net.body, s), graph.QuantizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	integers, err := j.net.integers(s, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer integers.Close()
	rounded, err := j.net.rounded(s, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer rounded.Close()
	var byIntegers, byRounding, cost noise
	for seed := range uint64(4) {
		x := noiseViews(100+seed, 3)
		want := evaluated(t, q, j.net.w, x)
		byIntegers.add(values(t, integers, x), want)
		byRounding.add(values(t, rounded, x), want)
		cost.add(want, evaluated(t, j.net.body, j.net.w, x))
	}
	t.Logf("int8 costs %.4f; from what it means oneDNN's integers differ by %.4f, its roundings by %.4f", cost.relative(), byIntegers.relative(), byRounding.relative())
	if cost.relative() < 0.002 || cost.relative() > 0.05 {
		t.Errorf("int8 costs %v of the result, want a percent or so", cost.relative())
	}
	if e := byIntegers.relative(); e > cost.relative()/2 {
		t.Errorf("integers differ by %v from what they mean, int8 costs %v", e, cost.relative())
	}
	if e := byRounding.relative(); e > cost.relative()/4 {
		t.Errorf("roundings differ by %v from what they mean, int8 costs %v", e, cost.relative())
	}
}

func values(t *testing.T, r *runner, x *tensor.Dense) []float32 {
	t.Helper()
	got, err := r.run(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	return got[r.values[0]].Float32s()
}

func evaluated(t *testing.T, g *graph.Graph, w graph.Weights, x *tensor.Dense) []float32 {
	t.Helper()
	out, err := graph.Eval(g, w, x)
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Float32s()
}

// The model that is checked is int8, and is what its scales mean.
func TestOpenIntegers(t *testing.T) {
	j := mustJob(t, Options{Bundle: toy(t), Spec: toySpec, Threads: 1})
	s := noisyScales(t, j)
	integers, err := openIntegers(t.Context(), j.Bundle, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer integers.Close()
	float, err := engine.Open(t.Context(), j.Bundle.Graph, j.Bundle.Weights, engine.Options{Kind: engine.OneDNN, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer float.Close()
	q, err := graph.Quantize(j.net.whole, j.net.w, s, graph.QuantizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var apart, cost noise
	for l := range load(t.Context(), actions(t, 1), toySpec, 1) {
		if l.err != nil {
			t.Fatal(l.err)
		}
		x := tensor.New(tensor.Float32, 1, 3, 3, 24, 24)
		l.clip.Views(x.Float32s(), 0, 3)
		want := evaluated(t, q, j.net.w, x)
		apart.add(scoresOf(t, integers, l), want)
		cost.add(scoresOf(t, float, l), want)
	}
	if cost.relative() < 0.0005 || apart.relative() > cost.relative()/2 {
		t.Errorf("int8 differs by %v from what it means, and that by %v from float32", apart.relative(), cost.relative())
	}
}
