package video_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
)

// Frames are shown at their times, or else at such that a writer takes.
func TestPace(t *testing.T) {
	const µs, ms = time.Microsecond, time.Millisecond
	for _, tc := range []struct {
		name     string
		at, want []time.Duration
	}{
		{"as they are", []time.Duration{0, 20 * µs, 40 * ms, time.Hour}, []time.Duration{0, 20 * µs, 40 * ms, time.Hour}},
		{"a late beginning", []time.Duration{5 * ms, 6 * ms}, []time.Duration{5 * ms, 6 * ms}},
		{"nothing is known", []time.Duration{0, 0, 0}, []time.Duration{0, 40 * ms, 80 * ms}},
		{"stands still", []time.Duration{0, 40 * ms, 40 * ms, 40*ms + 19*µs, 80 * ms}, []time.Duration{0, 40 * ms, 41 * ms, 42 * ms, 80 * ms}},
		{"goes back", []time.Duration{0, 40 * ms, 20 * ms, 41 * ms, 60 * ms}, []time.Duration{0, 40 * ms, 41 * ms, 42 * ms, 60 * ms}},
	} {
		var p video.Pace
		w, err := video.Create(filepath.Join(t.TempDir(), "made.mp4"), video.WriterOptions{Width: 16, Height: 16})
		if err != nil {
			t.Fatal(err)
		}
		var got []time.Duration
		for _, at := range tc.at {
			got = append(got, p.Next(at))
			if err := w.Write(frame.NewRGB(16, 16), got[len(got)-1]); err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
		w.Abort()
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v are shown at %v, want %v", tc.name, tc.at, got, tc.want)
		}
	}
}
