package video_test

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/video"
)

// centres is the middle of each of k equal segments of n frames.
func centres(n, k int) []int {
	out := make([]int, k)
	for i := range out {
		out[i] = (2*i + 1) * n / (2 * k)
	}
	return out
}

// BenchmarkChosen decodes 25 frames of a 10 s H.264 clip, from opening on. It
// reports how much longer it takes to decode the whole clip for the same 25
// frames, and to convert all frames. Each figure is the best of several rounds,
// in which the three take turns.
func BenchmarkChosen(b *testing.B) {
	dir := filepath.Join(testdata.Shared(b), "data", "videos")
	for _, name := range []string{"arm-wrestling-mmaction.mp4", "pool-cleaning-mmaction.mp4"} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(dir, name)
			best := [3]time.Duration{time.Hour, time.Hour, time.Hour}
			for b.Loop() {
				for range 5 {
					for k, use := range []func(*video.File) error{chosen, full, all} {
						best[k] = min(best[k], timed(b, path, use))
					}
				}
			}
			b.ReportMetric(best[0].Seconds()*1e3, "chosen-ms")
			b.ReportMetric(best[1].Seconds()*1e3, "full-ms")
			b.ReportMetric(best[1].Seconds()/best[0].Seconds(), "full/chosen")
			b.ReportMetric(best[2].Seconds()/best[0].Seconds(), "all/chosen")
		})
	}
}

func chosen(f *video.File) error {
	_, err := f.Frames(context.Background(), centres(f.Len(), 25))
	return err
}

func full(f *video.File) error {
	f.DecodePlainly()
	return chosen(f)
}

func all(f *video.File) error {
	_, err := f.Frames(context.Background(), upTo(f.Len()))
	return err
}

// BenchmarkFirstFrame is opening and decoding frame 0.
func BenchmarkFirstFrame(b *testing.B) {
	path := filepath.Join(testdata.Shared(b), "data", "videos", "pool-cleaning-mmaction.mp4")
	for b.Loop() {
		timed(b, path, func(f *video.File) error {
			_, err := f.Frames(context.Background(), []int{0})
			return err
		})
	}
}

func timed(b *testing.B, path string, use func(*video.File) error) time.Duration {
	b.Helper()
	start := cpuTime(b)
	f, err := video.Open(context.Background(), path, video.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := use(f); err != nil {
		b.Fatal(err)
	}
	return cpuTime(b) - start
}

// cpuTime is what the process has used so far: unlike the clock's time it does
// not count what other programs do.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
