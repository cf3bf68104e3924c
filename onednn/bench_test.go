package onednn_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

func BenchmarkChunk(b *testing.B) {
	n, _ := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 400}, 200, 224, 224)
	w := randomWeights(n.Graph, 1)
	var ks []int
	if s := os.Getenv("KS"); s != "" {
		for _, f := range splitInts(s) {
			ks = append(ks, f)
		}
	}
	for _, k := range ks {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			e, err := onednn.Compile(n.Graph, w, onednn.Options{Chunk: k, Threads: threads()})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			n50, _ := tsn.Build(tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 400}, max(k, 25/k*k), 224, 224)
			e2, _ := onednn.Compile(n50.Graph, w, onednn.Options{Chunk: k, Threads: threads()})
			defer e2.Close()
			in := tensor.New(tensor.Float32, 1, max(k, 25/k*k), 3, 224, 224)
			e2.Run(b.Context(), in)
			frames := 0
			b.ResetTimer()
			var r0, r1 syscall.Rusage
			syscall.Getrusage(syscall.RUSAGE_SELF, &r0)
			for b.Loop() {
				if _, err := e2.Run(b.Context(), in); err != nil {
					b.Fatal(err)
				}
				frames += in.Shape[1]
			}
			syscall.Getrusage(syscall.RUSAGE_SELF, &r1)
			b.ReportMetric(float64(r1.Utime.Nano()-r0.Utime.Nano())/1e6/float64(frames), "cpu-ms/frame")
			b.ReportMetric(float64(r1.Stime.Nano()-r0.Stime.Nano())/1e6/float64(frames), "sys-ms/frame")
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(frames), "ms/frame")
			b.ReportMetric(8.65*float64(frames)/b.Elapsed().Seconds(), "GFLOP/s")
		})
	}
}

func splitInts(s string) (out []int) {
	for len(s) > 0 {
		var n int
		var c int
		c, _ = fmt.Sscanf(s, "%d", &n)
		_ = c
		out = append(out, n)
		i := 0
		for i < len(s) && s[i] != ',' {
			i++
		}
		s = s[min(len(s), i+1):]
	}
	return
}

func BenchmarkPeak(b *testing.B) {
	g := graph.New("peak")
	x := g.Input("x", 1024, 2048)
	for i := range 8 {
		x = g.Must(fmt.Sprint("fc", i), graph.Linear{}, x, g.Param(fmt.Sprint("w", i), 2048, 2048))
	}
	g.Output(x)
	e, err := onednn.Compile(g, randomWeights(g, 1), onednn.Options{Chunk: 1024, Threads: threads()})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	in := tensor.New(tensor.Float32, 1024, 2048)
	for b.Loop() {
		if _, err := e.Run(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*8*2*1024*2048*2048/1e9/b.Elapsed().Seconds(), "GFLOP/s")
}

func threads() int { var n int; fmt.Sscan(os.Getenv("T"), &n); return n }
