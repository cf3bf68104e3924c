package bench

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/internal/turns"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tsn"
)

// BenchmarkPredict is the whole of predict on a clip of 10 s, from opening the
// file to the label, with the configuration of Kinetics-400 (25 frames, ten
// crops), against its network alone on views that are there already.
func BenchmarkPredict(b *testing.B) {
	clip := filepath.Join(b.TempDir(), "clip.mp4")
	draw(b, clip)
	cfg, err := config.Load("../configs/recognition/pptsn/pptsn_k400_videos.yaml", nil)
	if err != nil {
		b.Fatal(err)
	}
	inference, err := cfg.Inference()
	if err != nil {
		b.Fatal(err)
	}
	model, err := cfg.Model()
	if err != nil {
		b.Fatal(err)
	}
	h, w := inference.Clip.Size()
	views := inference.Clip.Views()
	net, err := tsn.Build(model.Network, views, h, w)
	if err != nil {
		b.Fatal(err)
	}
	weights := net.Init(headStd, 0)
	path := filepath.Join(b.TempDir(), "m")
	manifest := bundle.Manifest{Model: "m", Network: model.Network, Source: "inference", Preprocess: inference.Clip}
	if err := bundle.Write(path, manifest, net, weights); err != nil {
		b.Fatal(err)
	}
	m, err := pptsn.Open(path, pptsn.Options{Engine: engine.Options{Threads: threads}})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	alone, err := onednn.Compile(net.Graph, weights, onednn.Options{Threads: threads})
	if err != nil {
		b.Fatal(err)
	}
	defer alone.Close()
	shape := []int{1, views, 3, h, w}
	network := func() float64 {
		time.Sleep(rest)
		start := time.Now()
		if _, err := alone.RunRows(b.Context(), shape, func([]float32, int, int) error { return nil }); err != nil {
			b.Fatal(err)
		}
		return time.Since(start).Seconds()
	}
	whole := func() float64 {
		time.Sleep(rest)
		start := time.Now()
		if _, err := m.Classify(b.Context(), clip); err != nil {
			b.Fatal(err)
		}
		return time.Since(start).Seconds()
	}
	network()
	whole()
	var ratios, wholes []float64
	for b.Loop() {
		for range 2 {
			n, p := network(), whole()
			p2, n2 := whole(), network()
			ratios = append(ratios, p/n, p2/n2)
			wholes = append(wholes, p, p2)
		}
	}
	b.ReportMetric(0, "ns/op") // of all turns together: says nothing
	b.ReportMetric(turns.Median(wholes), "s/clip")
	b.ReportMetric(turns.Median(ratios), "predict/network")
	b.ReportMetric((turns.Quantile(ratios, 1)-turns.Quantile(ratios, 0))/2*100, "±%")
}

// draw makes an H.264 clip of 10 s, 340x256 as Kinetics clips are.
func draw(b *testing.B, path string) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		b.Skip("the ffmpeg tool, which draws the clip, is absent")
	}
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=340x256:r=30", "-t", "10",
		"-c:v", "libx264", "-pix_fmt", "yuv420p", path).CombinedOutput()
	if err != nil {
		b.Fatalf("ffmpeg: %v: %s", err, out)
	}
}
