package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

const (
	threads = 2                      // of each engine
	turns   = 15                     // of each engine in one iteration of a benchmark
	rest    = 250 * time.Millisecond // before each turn: ONNX Runtime's threads go on spinning for longer than 20 ms
)

// A runner is what the benchmarks compare.
type runner interface {
	Run(ctx context.Context, inputs ...*tensor.Dense) ([]*tensor.Dense, error)
	Close() error
}

// BenchmarkResNet50vd is PP-TSN's network, one view a video, in float32:
// oneDNN against ONNX Runtime's CPU provider, which has all its graph
// optimisations, its memory arena, spinning threads and weights packed ahead.
func BenchmarkResNet50vd(b *testing.B) {
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 400}, 1, 224, 224)
	if err != nil {
		b.Fatal(err)
	}
	g, w := net.Graph, randomWeights(net.Graph)
	peer, err := ort.Compile(g, w, ort.Options{Threads: threads})
	if absent := new(ort.NotFoundError); errors.As(err, &absent) {
		b.Skip(err)
	} else if err != nil {
		b.Fatal(err)
	}
	defer peer.Close()
	ours, err := onednn.Compile(g, w, onednn.Options{Threads: threads})
	if err != nil {
		b.Fatal(err)
	}
	defer ours.Close()
	for _, batch := range []int{1, 8, 10} {
		b.Run(fmt.Sprint("batch=", batch), func(b *testing.B) {
			in := tensor.New(tensor.Float32, batch, 1, 3, 224, 224)
			fill(in, rand.New(rand.NewPCG(1, uint64(batch))), 2)
			bound, err := g.Bind(in.Shape)
			if err != nil {
				b.Fatal(err)
			}
			compare(b, ours, peer, in, batch, float64(bound.FLOPs())/float64(batch))
		})
	}
}

// compare reports the speed of both engines, for inputs of so many frames and
// operations a frame.
func compare(b *testing.B, ours, peer runner, in *tensor.Dense, frames int, flops float64) {
	agree(b, run(b, ours, in), run(b, peer, in)) // and warm up
	run(b, ours, in)
	run(b, peer, in)
	var mine, theirs, ratios []float64
	for b.Loop() {
		for turn := range turns {
			var m, t float64
			if turn%2 == 0 {
				m, t = seconds(b, ours, in), seconds(b, peer, in)
			} else {
				t, m = seconds(b, peer, in), seconds(b, ours, in)
			}
			mine, theirs, ratios = append(mine, m/float64(frames)), append(theirs, t/float64(frames)), append(ratios, t/m)
		}
	}
	b.ReportMetric(0, "ns/op") // of all turns together: says nothing
	for _, e := range []struct {
		name    string
		samples []float64
	}{{"onednn", mine}, {"ort", theirs}} {
		median, spread := quantile(e.samples, 0.5), quantile(e.samples, 0.75)-quantile(e.samples, 0.25)
		b.ReportMetric(median*1e3, e.name+"-ms/frame")
		b.ReportMetric(flops/median/1e9, e.name+"-GFLOP/s")
		b.ReportMetric(spread/2/median*100, e.name+"-±%")
	}
	b.ReportMetric(quantile(ratios, 0.5), "ort/onednn")
}

func run(b *testing.B, e runner, in *tensor.Dense) *tensor.Dense {
	out, err := e.Run(b.Context(), in)
	if err != nil {
		b.Fatal(err)
	}
	return out[0]
}

func seconds(b *testing.B, e runner, in *tensor.Dense) float64 {
	time.Sleep(rest)
	start := time.Now()
	run(b, e, in)
	return time.Since(start).Seconds()
}

// agree fails unless both have computed the same network.
func agree(b *testing.B, x, y *tensor.Dense) {
	var largest, worst float64
	for i, v := range y.Float32s() {
		largest = max(largest, math.Abs(float64(v)))
		worst = max(worst, math.Abs(float64(v)-float64(x.Float32s()[i])))
	}
	if !(worst <= 1e-4*largest) {
		b.Fatalf("the engines' scores differ by %g, the largest is %g", worst, largest)
	}
}

func quantile(samples []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	at := q * float64(len(sorted)-1)
	i := int(at)
	return sorted[i] + (at-float64(i))*(sorted[min(i+1, len(sorted)-1)]-sorted[i])
}

// randomWeights keep the activations of a deep network near 1: variances and
// gains are 1, convolutions have the gain of their fan-in.
func randomWeights(g *graph.Graph) graph.Weights {
	rng, w := rand.New(rand.NewPCG(0, 0)), graph.Weights{}
	for _, p := range g.Params {
		d := tensor.New(tensor.Float32, p.Shape...)
		switch {
		case len(p.Shape) > 1:
			fill(d, rng, float32(math.Sqrt(3/float64(tensor.Count(p.Shape)/p.Shape[0]))))
		case strings.HasSuffix(p.Name, "_variance"), strings.HasSuffix(p.Name, "_batch_norm.weight"):
			for i, v := 0, d.Float32s(); i < len(v); i++ {
				v[i] = 1
			}
		default:
			fill(d, rng, 0.1)
		}
		w[p.Name] = d
	}
	return w
}

// fill draws uniformly from (-scale, scale).
func fill(d *tensor.Dense, rng *rand.Rand, scale float32) {
	for i, v := 0, d.Float32s(); i < len(v); i++ {
		v[i] = (2*rng.Float32() - 1) * scale
	}
}
