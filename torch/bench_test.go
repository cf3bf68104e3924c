package torch_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// BenchmarkInference is PP-TSN with ResNet50-vd on clips of 8 views, from
// 8-bit pictures in the host's memory to scores there: videos and frames a
// second. bench/testdata/infer.py measures PyTorch on the same; scripts/gpu.sh
// runs both. An iteration is one call for PPTSN_BENCH_CLIPS clips (1) of
// PPTSN_BENCH_SIDE pixels (224); two callers take turns, as many videos do.
func BenchmarkInference(b *testing.B) {
	const segments, callers = 8, 2
	clips, side := number(b, "PPTSN_BENCH_CLIPS", 1), number(b, "PPTSN_BENCH_SIDE", 224)
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 400}, segments, side, side)
	if err != nil {
		b.Fatal(err)
	}
	weights := benchWeights(net.Graph)
	d := device(b)
	for _, dtype := range []torch.DType{torch.Float32, torch.BFloat16, torch.Float16} {
		for _, graphs := range []bool{true, false} {
			if !d.CUDA && (dtype == torch.Float16 || !graphs) {
				continue // not on the CPU
			}
			b.Run(fmt.Sprintf("%s/graphs=%v", dtype, graphs && d.CUDA), func(b *testing.B) {
				e, err := torch.Compile(b.Context(), net.Graph, weights, torch.EngineOptions{
					Session: torch.SessionOptions{Device: d, Threads: torch.Cores()}, Network: torch.NetworkOptions{DType: dtype}, NoGraphs: !graphs,
				})
				if err != nil {
					b.Fatal(err)
				}
				defer e.Close()
				shape := []int{clips, segments, 3, side, side}
				pixels := make([]byte, tensor.Count(shape))
				size := 3 * side * side
				call := func() error {
					_, err := e.RunPixels(b.Context(), torch.Pixels{Shape: shape, Normalize: imageNet, Fill: func(dst []byte, from, to int) error {
						copy(dst, pixels[from*size:to*size])
						return nil
					}})
					return err
				}
				for range 3 { // warms up, records, replays
					if err := call(); err != nil {
						b.Fatal(err)
					}
				}
				took := share(b, b.N, callers, call)
				b.ReportMetric(float64(clips*b.N)/took.Seconds(), "videos/s")
				b.ReportMetric(float64(clips*segments*b.N)/took.Seconds(), "frames/s")
				for _, note := range e.Notes() {
					b.Log(note)
				}
			})
		}
	}
}

// share makes n calls from several goroutines.
func share(b *testing.B, n, callers int, call func() error) time.Duration {
	var wg sync.WaitGroup
	errs := make([]error, callers)
	b.ResetTimer()
	start := time.Now()
	for i := range callers {
		wg.Go(func() {
			for range (n + i) / callers {
				errs[i] = errors.Join(errs[i], call())
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// benchWeights keep the magnitude of values, so that none becomes infinite.
func benchWeights(g *graph.Graph) graph.Weights {
	rng, w := rand.New(rand.NewPCG(1, 1)), graph.Weights{}
	for _, p := range g.Params {
		low, high := float32(0.5), float32(1)
		if len(p.Shape) > 1 {
			high = float32(math.Sqrt(3 / float64(tensor.Count(p.Shape)/p.Shape[0])))
			low = -high
		}
		w[p.Name] = tensor.New(tensor.Float32, p.Shape...)
		for i := range w[p.Name].Float32s() {
			w[p.Name].Float32s()[i] = low + (high-low)*rng.Float32()
		}
	}
	return w
}

// number is an environment variable, or what it is if it is not set.
func number(b *testing.B, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s=%s: want a number above 0", name, text)
	}
	return n
}
