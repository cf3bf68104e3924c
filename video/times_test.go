package video_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
)

// What the packets tell is what ffprobe finds by decoding.
func TestTimes(t *testing.T) {
	for _, name := range []string{"gen-vfr.mp4", "vfr-600.mov", "gen-claims-500-has-60.avi", "nonzero-start.mp4", "gen-pts-wrap.ts", "gen-open-gop-bframes.mp4", "edit-list-discard.mp4", "no-duration.webm", "newtonscradle.gif", "gen-1-frames.mp4"} {
		path := filepath.Join(testdata.Shared(t), "data", "odd-videos", name)
		want, got := frameTimes(t, path), open(t, path).Times()
		if len(got) != len(want) {
			t.Errorf("%s: %d times, want %d", name, len(got), len(want))
			continue
		}
		for n, at := range got {
			if math.Abs(at.Seconds()-(want[n]-want[0])) > 2e-6 { // ffprobe prints microseconds
				t.Errorf("%s: frame %d is at %v, want %f s", name, n, at, want[n]-want[0])
				break
			}
		}
	}
}
