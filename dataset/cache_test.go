package dataset_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/probe"
)

func TestConcurrentEpochsOfKnownVideosAreTheSame(t *testing.T) {
	o := options(t, false, "gen-5-frames.mp4 0\ngen-claims-500-has-60.avi 1\ngen-vfr.mp4 2\ngen-live-no-duration.mkv 3\ngen-zero-byte.mp4 4\n")
	o.Prefix = filepath.Join(testdata.Shared(t), "data", "odd-videos")
	load := func() []dataset.Batch {
		return epoch(t, newLoader(t, open(t, o), dataset.LoaderOptions{Batch: 5, Workers: 2, Seed: 5}), 0, 0)
	}
	want := load()
	dir := filepath.Join(t.TempDir(), "videos")
	var err error
	if o.Cache, err = probe.OpenCache(dir); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"first", "second"} {
		if err := same(load(), want); err != nil {
			t.Errorf("%s epoch with a cache: %v", when, err)
		}
	}
	if known, _ := filepath.Glob(filepath.Join(dir, "??", "*-index")); len(known) != 4 {
		t.Errorf("%d videos are known, want the four that open", len(known))
	}
	if _, err := open(t, o).Load(context.Background(), 4, sampleRand(4)); err == nil {
		t.Error("an empty file was read")
	}
}
