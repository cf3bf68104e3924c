package onednn_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// BenchmarkResNet50vd is PP-TSN's network on one video, by the number of views
// computed at once. "of-matmul" is its speed as a share of that of large
// matrix products, which are measured in turns with it.
func BenchmarkResNet50vd(b *testing.B) {
	for _, chunk := range []int{1, 2, 4, 5, 8, 10, 16, 25} {
		b.Run(fmt.Sprint("chunk=", chunk), func(b *testing.B) {
			views := 25 / chunk * chunk // no remainder
			net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 400}, views, 224, 224)
			if err != nil {
				b.Fatal(err)
			}
			e := compile(b, net.Graph, randomWeights(net.Graph, 1), onednn.Options{Chunk: chunk})
			in := ramp(1, views, 3, 224, 224)
			bound, err := net.Graph.Bind(in.Shape)
			if err != nil {
				b.Fatal(err)
			}
			products, product := products(b)
			run(b, e, in)
			run(b, products, product)
			var network, peak time.Duration
			for b.Loop() {
				network += run(b, e, in)
				peak += run(b, products, product)
			}
			n := float64(b.N)
			speed := float64(bound.FLOPs()) / 1e9 * n / network.Seconds()
			b.ReportMetric(0, "ns/op") // of both
			b.ReportMetric(network.Seconds()*1e3/n/float64(views), "ms/frame")
			b.ReportMetric(speed, "GFLOP/s")
			b.ReportMetric(100*speed/(productsGFLOP*n/peak.Seconds()), "%of-matmul")
		})
	}
}

// BenchmarkPrepare is the time to the first result of a new engine.
func BenchmarkPrepare(b *testing.B) {
	net, err := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 400}, 25, 224, 224)
	if err != nil {
		b.Fatal(err)
	}
	w := randomWeights(net.Graph, 1)
	for b.Loop() {
		e, err := onednn.Compile(net.Graph, w, onednn.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Prepare([]int{1, 25, 3, 224, 224}); err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
}

func run(b *testing.B, e *onednn.Engine, in *tensor.Dense) time.Duration {
	begin := time.Now()
	if _, err := e.Run(b.Context(), in); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}

// productsGFLOP is the work of products.
const productsGFLOP = 4 * 2 * 1024 * 2048 * 2048 / 1e9

// products multiplies [1024, 2048] by four matrices [2048, 2048].
func products(b *testing.B) (*onednn.Engine, *tensor.Dense) {
	g := graph.New("products")
	x := g.Input("x", 1024, 2048)
	for i := range 4 {
		x = g.Must(fmt.Sprint("product", i), graph.Linear{}, x, g.Param(fmt.Sprint("w", i), 2048, 2048))
	}
	g.Output(x)
	return compile(b, g, randomWeights(g, 1), onednn.Options{Chunk: 1024}), ramp(1024, 2048)
}
