package dataset_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/internal/testdata"
)

// training is PP-TSN's pipeline for training.
var training = clip.Spec{
	Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 3, Random: true},
	Steps: []clip.Step{
		{Scale: &clip.Scale{ShortSide: 256, Round: true, Backend: clip.OpenCV}},
		{MultiScaleCrop: &clip.MultiScaleCrop{Size: 224, Scales: []float64{1, 0.875, 0.75, 0.66}, MaxDistort: 1,
			FixedPositions: true, AllowDuplication: true, MorePositions: true, Backend: clip.OpenCV}},
		{RandomFlip: &clip.RandomFlip{Probability: 0.5}},
		{Normalize: &clip.Normalize{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}},
	},
}

// actions are real clips with the list that came with them.
func actions(t testing.TB, list string) dataset.Options {
	t.Helper()
	dir := filepath.Join(testdata.Shared(t), "data", "actions")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no real clips: ", err)
	}
	return dataset.Options{List: filepath.Join(dir, list), Prefix: dir, Spec: training, Classes: 8}
}

func TestRealClips(t *testing.T) {
	o := actions(t, "val.list")
	set := open(t, o)
	if missing, total := set.Missing(t.Context(), 3); set.Len() != 30 || total != 0 {
		t.Fatalf("%d clips, %d missing: %v", set.Len(), total, missing)
	}
	l := newLoader(t, set, dataset.LoaderOptions{Batch: 3, Workers: 2, Shuffle: true, Seed: 7})
	if l.Batches() != 10 {
		t.Errorf("%d batches, want 10", l.Batches())
	}
	for b, err := range l.Epoch(t.Context(), 0, 8) {
		if err != nil || len(b.Bad) > 0 {
			t.Fatal(err, b.Bad)
		}
		if b.Index < 8 || !slices.Equal(b.Views.Shape, []int{3, 3, 3, 224, 224}) {
			t.Errorf("batch %d of %v", b.Index, b.Views)
		}
		for i, s := range b.Samples {
			class, _, _ := strings.Cut(set.Sample(s).Name, "/")
			if want := []string{"Basketball", "Biking", "Diving", "JumpRope", "SkyDiving", "Surfing", "Swing", "WalkingWithDog"}[b.Labels[i]]; class != want {
				t.Errorf("sample %d of %s has label %d", s, class, b.Labels[i])
			}
		}
		c, err := set.Load(t.Context(), b.Samples[1], dataset.SampleRand(7, 0, b.Samples[1]))
		if err != nil {
			t.Fatal(err)
		}
		if n := b.Views.Len() / 3; !slices.Equal(b.Views.Float32s()[n:2*n], c.Views(nil, 0, 3)) {
			t.Errorf("sample %d differs from the sample alone", b.Samples[1])
		}
		b.Release()
	}
}

func TestBadVideos(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	o := options(t, false, "gen-zero-byte.mp4 0\ngen-5-frames.mp4 1\naudio-only.mp4 2\n-video-with-dash-.mp4 3\ngen archery with space.mp4 4\nnone.mp4 5\n")
	o.Prefix = dir
	set := open(t, o)
	b := epoch(t, newLoader(t, set, dataset.LoaderOptions{Batch: 6, Workers: 2}), 0, 0)[0]
	if !slices.Equal(b.Samples, []int{1, 3, 4}) || len(b.Bad) != 3 {
		t.Errorf("samples %v, bad %v", b.Samples, b.Bad)
	}
	for _, bad := range b.Bad {
		s := set.Sample(bad.Sample)
		if text := bad.Err.Error(); !strings.HasPrefix(text, o.List+":") || !strings.Contains(text, s.Path) {
			t.Errorf("error %q of %s", text, s.Path)
		}
	}
}

func TestMissing(t *testing.T) {
	o := folders(t, 6)
	for _, i := range []int{5, 2, 3} {
		if err := os.Remove(filepath.Join(o.Prefix, "clip 0"+string(rune('0'+i)), pictureName(0))); err != nil {
			t.Fatal(err)
		}
	}
	missing, total := open(t, o).Missing(t.Context(), 2)
	if total != 3 || len(missing) != 2 || missing[0].Line != 3 || missing[1].Line != 4 {
		t.Errorf("%d missing, first %+v: want 3, lines 3 and 4", total, missing)
	}

	videos := options(t, false, "clip 00 0\nclip 01/img_00001 1\nnone 2\n")
	videos.Prefix, videos.Suffix = o.Prefix, ".jpg"
	if missing, total := open(t, videos).Missing(t.Context(), 9); total != 2 || missing[1].Name != "none" {
		t.Errorf("%d missing: %+v: want two, the last none", total, missing)
	}
	videos.Suffix = ""
	if _, total := open(t, videos).Missing(t.Context(), 0); total != 3 { // a folder is no video
		t.Errorf("%d missing, want 3", total)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, total := open(t, o).Missing(ctx, 9); total != 0 {
		t.Errorf("%d missing after the search was cancelled", total)
	}
}

// Clips a second from files to a mixed batch, with a goroutine for each core.
func BenchmarkLoader(b *testing.B) {
	l := newLoader(b, open(b, actions(b, "train.list")), dataset.LoaderOptions{
		Batch: 16, Workers: runtime.NumCPU(), Shuffle: true, DropLast: true, Mix: &dataset.Mix{MixupAlpha: 0.2},
	})
	clips := 0
	for e := 0; b.Loop(); e++ {
		for batch, err := range l.Epoch(b.Context(), e, 0) {
			if err != nil {
				b.Fatal(err)
			}
			clips += len(batch.Samples)
			batch.Release()
		}
	}
	b.ReportMetric(float64(clips)/b.Elapsed().Seconds(), "clips/s")
	t := l.Times()
	all := float64(t.Decode + t.Transform + t.Collate)
	b.ReportMetric(100*float64(t.Decode)/all, "%decode")
	b.ReportMetric(100*float64(t.Transform)/all, "%transform")
	b.ReportMetric(100*float64(t.Collate)/all, "%collate")
}
