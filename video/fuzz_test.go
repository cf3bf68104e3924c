package video_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/video"
)

// FuzzOpen feeds damaged files: whatever comes, an error or frames, in time.
func FuzzOpen(f *testing.F) {
	dir := filepath.Join(testdata.Shared(f), "data", "odd-videos")
	for _, name := range []string{
		"-video-with-dash-.mp4", "unordered.mov", "one-frame-mpeg4.mp4", "claims-25-has-5.mov", "frame-exceeds-screen.gif", "fragmented.mp4",
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "fuzz.mp4")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		v, err := video.Open(ctx, path, video.Options{})
		if err != nil {
			return
		}
		defer v.Close()
		v.Info()
		if n := v.Len(); n > 0 {
			v.Frames(ctx, []int{n - 1, n / 2})
		}
		if n, err := v.Count(ctx); err == nil && n != v.Len() {
			t.Errorf("Count is %d, Len is %d", n, v.Len())
		}
	})
}
