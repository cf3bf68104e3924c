package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/turns"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/quantize"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

const (
	threads = 2                      // of each engine
	rounds  = 15                     // of turns in one iteration of a benchmark
	rest    = 250 * time.Millisecond // before each turn: ONNX Runtime's threads go on spinning for longer than 20 ms
)

// A runner is what the benchmarks compare.
type runner interface {
	Run(ctx context.Context, inputs ...*tensor.Dense) ([]*tensor.Dense, error)
	Close() error
}

// headStd is the deviation of random classifiers: scores differ enough to be compared.
const headStd = 0.05

// A contender is an engine of BenchmarkResNet50vd.
type contender struct {
	name      string
	tolerance float64 // of the scores, as a share of the largest
	runner
	seconds []float64 // of a frame, in each turn
}

// BenchmarkResNet50vd is PP-TSN's network, one view a video: oneDNN in float32,
// bfloat16 and 8-bit integers against ONNX Runtime's CPU provider in float32,
// which has all its graph optimisations, its memory arena, spinning threads and
// weights packed ahead. The command pptsn bench network compares all engines, and
// with what the cores can do.
func BenchmarkResNet50vd(b *testing.B) {
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 400}, 1, 224, 224)
	if err != nil {
		b.Fatal(err)
	}
	w := net.Init(headStd, 0)
	peer, err := ort.Compile(net.Graph, w, ort.Options{Threads: threads})
	if absent := new(ort.NotFoundError); errors.As(err, &absent) {
		b.Skip(err)
	} else if err != nil {
		b.Fatal(err)
	}
	defer peer.Close()
	contenders := []*contender{{name: "ort", tolerance: 1e-5, runner: peer}}
	for _, c := range []struct {
		precision graph.Precision
		tolerance float64
	}{{graph.FP32, 1e-4}, {graph.BF16, 0.05}, {graph.INT8, 0.2}} {
		if onednn.Supports(c.precision) != nil {
			continue
		}
		ours := compile(b, net, w, c.precision)
		defer ours.Close()
		contenders = append(contenders, &contender{name: c.precision.String(), tolerance: c.tolerance, runner: ours})
	}
	for _, batch := range []int{1, 8, 10} {
		b.Run(fmt.Sprint("batch=", batch), func(b *testing.B) {
			in := noise(batch)
			bound, err := net.Graph.Bind(in.Shape)
			if err != nil {
				b.Fatal(err)
			}
			compare(b, contenders, in, batch, float64(bound.FLOPs())/float64(batch))
		})
	}
}

// noise is n videos of a view.
func noise(n int) *tensor.Dense {
	in := tensor.New(tensor.Float32, n, 1, 3, 224, 224)
	fill(in, rand.New(rand.NewPCG(1, uint64(n))), 2)
	return in
}

func compile(b *testing.B, net *tsn.Network, w graph.Weights, p graph.Precision) *onednn.Engine {
	o := onednn.Options{Threads: threads, Precision: p}
	var err error
	if p == graph.INT8 {
		if o.Scales, err = quantize.Rough(b.Context(), net.Graph, w, threads, noise(4)); err != nil {
			b.Fatal(err)
		}
	}
	e, err := onednn.Compile(net.Graph, w, o)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// compare reports the speed of all contenders, for inputs of so many frames and
// operations a frame. The first is the peer.
func compare(b *testing.B, contenders []*contender, in *tensor.Dense, frames int, flops float64) {
	want := run(b, contenders[0], in)
	for _, c := range contenders {
		agree(b, c, run(b, c, in), want)
		c.seconds = nil
	}
	for b.Loop() {
		for _, i := range turns.Order(rounds, len(contenders)) {
			c := contenders[i]
			c.seconds = append(c.seconds, seconds(b, c, in)/float64(frames))
		}
	}
	b.ReportMetric(0, "ns/op") // of all turns together: says nothing
	for i, c := range contenders {
		median := turns.Median(c.seconds)
		b.ReportMetric(median*1e3, c.name+"-ms/frame")
		b.ReportMetric(flops/median/1e9, c.name+"-GFLOP/s")
		b.ReportMetric(turns.Spread(c.seconds), c.name+"-±%")
		if i > 0 {
			b.ReportMetric(turns.Median(turns.Ratios(contenders[0].seconds, c.seconds)), "ort/"+c.name)
		}
	}
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

// agree fails unless a contender has computed the same network as the peer.
func agree(b *testing.B, c *contender, got, want *tensor.Dense) {
	var largest, worst float64
	for i, v := range want.Float32s() {
		largest = max(largest, math.Abs(float64(v)))
		worst = max(worst, math.Abs(float64(v)-float64(got.Float32s()[i])))
	}
	if !(worst <= c.tolerance*largest) {
		b.Fatalf("%s: scores differ from ONNX Runtime's by %g, the largest is %g", c.name, worst, largest)
	}
}

// fill draws uniformly from (-scale, scale).
func fill(d *tensor.Dense, rng *rand.Rand, scale float32) {
	for i, v := 0, d.Float32s(); i < len(v); i++ {
		v[i] = (2*rng.Float32() - 1) * scale
	}
}
