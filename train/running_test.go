package train

import (
	"math"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// stemStatistics are the mean and biased variance of each channel of the stem's
// convolution over a batch, computed in plain Go.
func stemStatistics(t *testing.T, n *tiny, views *tensor.Dense) (mean, variance []float64) {
	t.Helper()
	g := n.Clone()
	for _, node := range g.Nodes {
		if node.Out.Name == "stem" {
			g.Outputs = []*graph.Value{node.Out}
		}
	}
	out, err := graph.Eval(g, n.w, views)
	if err != nil {
		t.Fatal(err)
	}
	shape, v := out[0].Shape, out[0].Float32s() // [n*T, C, H, W]
	plane := shape[2] * shape[3]
	mean, variance = make([]float64, shape[1]), make([]float64, shape[1])
	count := float64(shape[0] * plane)
	each := func(f func(channel int, x float64)) {
		for i, x := range v {
			f(i/plane%shape[1], float64(x))
		}
	}
	each(func(c int, x float64) { mean[c] += x / count })
	each(func(c int, x float64) { variance[c] += (x - mean[c]) * (x - mean[c]) / count })
	return mean, variance
}

func closeTo(t *testing.T, what string, got *tensor.Dense, want []float64) {
	t.Helper()
	for i, x := range got.Float32s() {
		if math.Abs(float64(x)-want[i]) > 1e-5*(1+math.Abs(want[i])) {
			t.Errorf("%s of channel %d is %v, want %v", what, i, x, want[i])
			return
		}
	}
}

// After each batch the running statistics are 0.9 of the old and 0.1 of the
// batch's, the variance the biased one.
func TestRunningStatistics(t *testing.T) {
	n := newTiny(false)
	l := n.learner(t, startSmall(t), n.w, LearnerOptions{})
	wantMean, wantVariance := make([]float64, 16), make([]float64, 16)
	for c := range wantVariance {
		wantVariance[c] = 1 // as the network begins
	}
	for i := range uint64(3) {
		b := n.batch(i, 2+int(i))
		if _, err := l.Accumulate(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		mean, variance := stemStatistics(t, n, b.Views)
		for c := range mean {
			wantMean[c] = 0.9*wantMean[c] + 0.1*mean[c]
			wantVariance[c] = 0.9*wantVariance[c] + 0.1*variance[c]
		}
		w := weights(t, l)
		closeTo(t, "running mean", w["stem.mean"], wantMean)
		closeTo(t, "running variance", w["stem.variance"], wantVariance)
	}
}

// Precise statistics are the averages over batches, of which each counts the
// same whatever its size; nothing is learned while they are taken.
func TestPreciseStatistics(t *testing.T) {
	n := newTiny(false)
	for name, amp := range modes {
		l := n.learner(t, startSmall(t), n.w, LearnerOptions{AMP: amp})
		wantMean, wantVariance := make([]float64, 16), make([]float64, 16)
		var p preciseBN
		for i := range uint64(3) {
			b := n.batch(i, 2+int(i))
			if err := p.observe(t.Context(), l, b.Views, b.Seed); err != nil {
				t.Fatal(err)
			}
			mean, variance := stemStatistics(t, n, b.Views)
			for c := range mean {
				wantMean[c] += mean[c] / 3
				wantVariance[c] += variance[c] / 3
			}
		}
		same(t, name+" before they are settled", weights(t, l), n.w)
		if err := p.settle(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		w := weights(t, l)
		if amp.Level == "" { // with 16 bits the convolution is another
			closeTo(t, "mean", w["stem.mean"], wantMean)
			closeTo(t, "variance", w["stem.variance"], wantVariance)
		}
		for _, rule := range n.rules {
			if string(w[rule.Name].Data) != string(n.w[rule.Name].Data) {
				t.Errorf("%s: %s was changed", name, rule.Name)
			}
		}
	}
}

// Nothing observed, nothing changed.
func TestPreciseStatisticsOfNothing(t *testing.T) {
	n := newTiny(false)
	l := n.learner(t, startSmall(t), n.w, LearnerOptions{})
	if err := new(preciseBN).settle(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	same(t, "statistics of no batches", weights(t, l), n.w)
}
