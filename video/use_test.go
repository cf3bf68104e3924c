package video_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/video"
)

func TestCancel(t *testing.T) {
	path := made(t, "long.mp4", "-f lavfi -i testsrc2=s=640x480:r=25:d=20 -c:v libx264 -preset ultrafast -x264-params keyint=500")
	f := open(t, path)
	w := decoded(t, path)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := video.Open(canceled, path, video.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
	if _, err := f.Frames(canceled, []int{0}); !errors.Is(err, context.Canceled) {
		t.Errorf("Frames: %v", err)
	}
	for name, use := range map[string]func(context.Context) error{
		"Count":       func(ctx context.Context) error { _, err := f.Count(ctx); return err },
		"last frame":  func(ctx context.Context) error { _, err := f.Frames(ctx, []int{499}); return err },
		"many frames": func(ctx context.Context) error { _, err := f.Frames(ctx, upTo(500)); return err },
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		start := time.Now()
		err := use(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: ended after %v", name, d)
		}
		cancel()
		compare(t, f, w, []int{100, 3}) // the file still works
	}
}

// TestDeadlineInHeader: a track without a header keeps FFmpeg 5.1 busy for
// seconds without reading; Open returns all the same.
func TestDeadlineInHeader(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testdata.Shared(t), "data", "odd-videos", "fragmented.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "hostile.mp4")
	copy(data[bytes.Index(data, []byte("tkhd")):], "free")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	f, err := video.Open(ctx, path, video.Options{})
	if err == nil {
		f.Close()
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("Open returned after %v: %v", d, err)
	}
}

// TestCancelWhileWaiting: a call that waits for its turn gives up in time.
func TestCancelWhileWaiting(t *testing.T) {
	f := open(t, made(t, "long.mp4", "-f lavfi -i testsrc2=s=640x480:r=25:d=20 -c:v libx264 -preset ultrafast"))
	var busy sync.WaitGroup
	defer busy.Wait()
	busy.Go(func() { f.Count(context.Background()) })
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	for ctx.Err() == nil {
		f.Frames(ctx, []int{0})
	}
	if _, err := f.Frames(ctx, []int{0}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestGoroutines(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data")
	names := []string{
		"odd-videos/gen-vfr.mp4", "odd-videos/gen-vp9.webm", "odd-videos/gen-corrupt-middle.mp4", "odd-videos/damaged.mpg",
		"odd-videos/rotated-nasa-270.mp4", "odd-videos/hevc-10bit.mp4", "odd-videos/gen-missing-moov.mp4", "videos/cricket-hook.gif",
	}
	wants := map[string]want{}
	for _, n := range names {
		wants[n] = decoded(t, filepath.Join(dir, n))
	}
	shared := open(t, filepath.Join(dir, names[0]))
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for k := range names {
				name := names[(g+k)%len(names)]
				w := wants[name]
				if n := len(w.frames); n > 0 {
					f, err := video.Open(context.Background(), filepath.Join(dir, name), video.Options{Threads: 1 + g%2})
					if err != nil {
						t.Error(err)
						return
					}
					if n != f.Len() || g%2 == 1 { // damaged, or decoded by other threads than the tool's
						f.Count(context.Background())
					} else {
						check(t, f, w, []int{n - 1, g % n, n / 2})
					}
					f.Close()
				}
				check(t, shared, wants[names[0]], []int{g, 7 * g})
			}
		})
	}
	all.Wait()
}

// check is compare for goroutines.
func check(t *testing.T, f *video.File, w want, indices []int) {
	pictures, err := f.Frames(context.Background(), indices)
	if err != nil {
		t.Error(err)
	}
	for k, p := range pictures {
		if sum(p.Pix) != w.frames[indices[k]] {
			t.Errorf("frame %d is not what ffmpeg decodes", indices[k])
		}
	}
}

// TestThreads: more decoder threads give the same frames.
func TestThreads(t *testing.T) {
	for _, name := range []string{"open-gops.mp4", "closed-hevc.mp4", "vp9.webm"} {
		for _, c := range clips {
			if c.name != name {
				continue
			}
			path := made(t, c.name, c.args)
			w := decoded(t, path)
			f, err := video.Open(context.Background(), path, video.Options{Threads: 3})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			n := f.Len()
			compare(t, f, w, []int{n - 1, n / 2, n / 3, 0})
			compare(t, f, w, upTo(n))
		}
	}
}

// TestMemory opens, decodes and closes again and again; the process must not grow.
func TestMemory(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	names := []string{
		"gen-rotated-90.mp4", "gen-interlaced-tff.mpg", "vp9-alpha.webm", "gen-corrupt-middle.mp4", "gen-missing-moov.mp4", "audio-only.mp4",
	}
	use := func(times int) {
		for i := range times {
			f, err := video.Open(context.Background(), filepath.Join(dir, names[i%len(names)]), video.Options{})
			if err != nil {
				continue
			}
			f.Frames(context.Background(), []int{5, 20})
			f.Close()
		}
	}
	use(60)
	before := resident(t)
	use(300)
	if grown := resident(t) - before; grown > 16<<20 {
		t.Errorf("300 times use took %d kB more memory", grown>>10)
	}
}

// resident is the memory that the process holds, in bytes.
func resident(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	var total, pages int
	if _, err := fmt.Sscan(string(bytes.TrimSpace(data)), &total, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// Expected values are ffprobe's, see the README beside the files.
func TestInfo(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	const mov, mkv = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"
	for _, tc := range []struct {
		name string
		want video.Info // duration to 1 ms, FPS to 0.001
	}{
		{"rotated-iphone.mov", video.Info{Container: mov, Codec: "h264", Width: 720, Height: 1280, Rotation: 90, FPS: 30, Duration: 467 * time.Millisecond, Claimed: 14}},
		{"rotated-nasa-270.mp4", video.Info{Container: mov, Codec: "h264", Width: 270, Height: 480, Rotation: 270, FPS: 29.970, Duration: 567 * time.Millisecond, Claimed: 17}},
		{"rotated-180.mov", video.Info{Container: mov, Codec: "h264", Width: 568, Height: 320, Rotation: 180, FPS: 30, Duration: 100 * time.Millisecond, Claimed: 3}},
		{"gen-vfr.mp4", video.Info{Container: mov, Codec: "h264", Width: 320, Height: 240, FPS: 13.889, Duration: 5200 * time.Millisecond, Claimed: 70, Variable: true}},
		{"gen-audio-longer.mp4", video.Info{Container: mov, Codec: "h264", Width: 320, Height: 240, FPS: 25, Duration: time.Second, Claimed: 25}},
		{"gen-claims-500-has-60.avi", video.Info{Container: "avi", Codec: "mpeg4", Width: 320, Height: 240, FPS: 25, Duration: 2400 * time.Millisecond, Claimed: 500}},
		{"gen-interlaced-tff-h264.mp4", video.Info{Container: mov, Codec: "h264", Width: 320, Height: 240, FPS: 12.5, Duration: 5200 * time.Millisecond, Claimed: 65, Interlaced: true}},
		{"gen-two-video-streams.mkv", video.Info{Container: mkv, Codec: "h264", Width: 320, Height: 240, FPS: 25, Duration: 2 * time.Second}},
		{"av1.mkv", video.Info{Container: mkv, Codec: "av1", Width: 640, Height: 360, FPS: 25, Duration: 5 * time.Second}},
	} {
		got := open(t, filepath.Join(dir, tc.name)).Info()
		got.Duration = got.Duration.Round(time.Millisecond)
		got.FPS = float64(int(got.FPS*1000+0.5)) / 1000
		if got != tc.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tc.name, got, tc.want)
		}
	}
}
