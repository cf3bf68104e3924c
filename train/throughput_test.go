package train

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// BenchmarkLearner is a training step of ResNet50-vd PP-TSN on clips of three
// segments of 224x224 pixels, in bfloat16 and channels last, on the tests'
// device. scripts/gpu.sh sets it beside PyTorch (testdata/throughput.py).
// PPTSN_BENCH_CLIPS is the batch size, 2 by default.
func BenchmarkLearner(b *testing.B) {
	clips := 2
	if v := os.Getenv("PPTSN_BENCH_CLIPS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			b.Fatalf("PPTSN_BENCH_CLIPS=%s: want a number of clips", v)
		}
		clips = n
	}
	for _, level := range []Level{O1, O2} {
		b.Run(fmt.Sprintf("bf16-%s-%dclips", level, clips), func(b *testing.B) {
			throughput(b, clips, AMP{Level: level, DType: torch.BFloat16})
		})
	}
}

func throughput(b *testing.B, clips int, amp AMP) {
	const segments, side, classes = 3, 224, 400
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: classes}, segments, side, side)
	if err != nil {
		b.Fatal(err)
	}
	session := start(b)
	l, err := NewLearner(b.Context(), session, net, net.Init(0.01, 1), LearnerOptions{
		Rule: optim.Momentum{Mu: 0.9, Nesterov: true}, Params: DefaultRules(tsn.PPTSN, 1e-4).Trainable(net), AMP: amp,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	batch := MicroBatch{Views: tensor.New(tensor.Float32, clips, segments, 3, side, side)}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range batch.Views.Float32s() {
		batch.Views.Float32s()[i] = float32(rng.NormFloat64())
	}
	labels := Labels{A: make([]int, clips)}
	for i := range labels.A {
		labels.A[i] = rng.IntN(classes)
	}
	batch.Targets = Targets(labels, classes, 0.1)
	step := func() {
		if _, err := l.Accumulate(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		if _, err := l.Update(b.Context(), 0.01); err != nil {
			b.Fatal(err)
		}
	}
	for range 3 { // libraries choose their algorithms
		step()
	}
	b.ResetTimer()
	for range b.N { // each step ends with the loss on the host, so nothing is left to wait for but one update
		step()
	}
	b.ReportMetric(float64(clips*segments*b.N)/b.Elapsed().Seconds(), "img/s")
	if _, peak, err := session.Memory(); err == nil && peak > 0 {
		b.ReportMetric(float64(peak)/1e6, "peak-MB")
	}
}
