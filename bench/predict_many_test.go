package bench

import (
	"context"
	"iter"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/internal/ordered"
	"github.com/pptsn/pptsn/internal/turns"
	"github.com/pptsn/pptsn/tsn"
)

// manyClips go through predict in one run.
const manyClips = 100

// BenchmarkPredictMany is predict over 100 clips beside its two halves alone on the
// same machine: the decoding of all clips by as many workers, and the network on
// as many clips that are there already. many/slower is the throughput as a share
// of the slower half's; many/both as a share of what the cores could do at most,
// where both halves want all of them.
func BenchmarkPredictMany(b *testing.B) {
	for _, tc := range []struct {
		name                            string
		layers, segments, size, seconds int
		ten                             bool
	}{
		{"network", 50, 2, 224, 1, true},
		{"decode", 18, 8, 64, 10, false},
	} {
		b.Run(tc.name, func(b *testing.B) {
			crop := clip.Step{CenterCrop: &clip.CenterCrop{Size: tc.size}}
			if tc.ten {
				crop = clip.Step{TenCrop: &clip.TenCrop{Size: tc.size}}
			}
			spec := clip.Spec{Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: tc.segments}, Steps: []clip.Step{
				{Scale: &clip.Scale{ShortSide: 256, Backend: clip.OpenCV}}, crop,
				{Normalize: &clip.Normalize{Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.2, 0.2, 0.2}}},
			}}
			file := filepath.Join(b.TempDir(), "clip.mp4")
			drawSeconds(b, file, tc.seconds)
			benchmarkMany(b, manyModel(b, tsn.Spec{Family: tsn.PPTSN, Layers: tc.layers, Classes: 400}, spec), file)
		})
	}
}

func benchmarkMany(b *testing.B, m *pptsn.Model, file string) {
	var decodes, networks, manys []float64
	loaded, err := m.Load(b.Context(), file)
	if err != nil {
		b.Fatal(err)
	}
	files := func(yield func(string, error) bool) {
		for range manyClips {
			if !yield(file, nil) {
				return
			}
		}
	}
	for b.Loop() {
		for range 2 {
			decodes = append(decodes, perClip(func() { decodeAll(b, m, files) }))
			networks = append(networks, perClip(func() { networkAll(b, m, loaded) }))
			manys = append(manys, perClip(func() { manyAll(b, m, files) }))
		}
	}
	decode, network, many := turns.Median(decodes), turns.Median(networks), turns.Median(manys)
	b.ReportMetric(0, "ns/op") // of all turns together: says nothing
	b.ReportMetric(1e3*decode, "ms/decode")
	b.ReportMetric(1e3*network, "ms/network")
	b.ReportMetric(1e3*many, "ms/clip")
	b.ReportMetric(max(decode, network)/many, "many/slower")
	b.ReportMetric((decode+network)/many, "many/both")
}

// perClip is the time in seconds of what is done to all clips, for each.
func perClip(do func()) float64 {
	time.Sleep(rest)
	start := time.Now()
	do()
	return time.Since(start).Seconds() / manyClips
}

func decodeAll(b *testing.B, m *pptsn.Model, files iter.Seq2[string, error]) {
	paths := func(yield func(string) bool) {
		for file := range files {
			if !yield(file) {
				return
			}
		}
	}
	decode := func(ctx context.Context, path string) error { _, err := m.Load(ctx, path); return err }
	for err := range ordered.Map(b.Context(), paths, runtime.NumCPU(), 0, decode) {
		if err != nil {
			b.Fatal(err)
		}
	}
}

func networkAll(b *testing.B, m *pptsn.Model, c *clip.Clip) {
	for range manyClips {
		if _, err := m.ClassifyClips(b.Context(), []*clip.Clip{c}); err != nil {
			b.Fatal(err)
		}
	}
}

func manyAll(b *testing.B, m *pptsn.Model, files iter.Seq2[string, error]) {
	for o := range m.ClassifyMany(b.Context(), files, pptsn.Many{Workers: runtime.NumCPU()}) {
		if o.Err != nil {
			b.Fatal(o.Err)
		}
	}
}

// manyModel exports a random network and opens it.
func manyModel(b *testing.B, network tsn.Spec, spec clip.Spec) *pptsn.Model {
	h, w := spec.Size()
	net, err := tsn.Build(network, spec.Views(), h, w)
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "m")
	manifest := bundle.Manifest{Model: "m", Network: network, Source: "inference", Preprocess: spec}
	if err := bundle.Write(path, manifest, net, net.Init(headStd, 0)); err != nil {
		b.Fatal(err)
	}
	m, err := pptsn.Open(path, pptsn.Options{Engine: engine.Options{Threads: threads}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	return m
}

// drawSeconds is draw for another length.
func drawSeconds(b *testing.B, path string, seconds int) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		b.Skip("the ffmpeg tool, which draws the clip, is absent")
	}
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=340x256:r=30", "-t", strconv.Itoa(seconds),
		"-c:v", "libx264", "-pix_fmt", "yuv420p", path).CombinedOutput()
	if err != nil {
		b.Fatalf("ffmpeg: %v: %s", err, out)
	}
}
