package window_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/video"
	"github.com/pptsn/pptsn/window"
)

// spec prepares small pictures, so that tests are quick.
var spec = clip.Spec{
	Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 4},
	Steps: []clip.Step{
		{Scale: &clip.Scale{ShortSide: 24, Backend: clip.OpenCV}},
		{CenterCrop: &clip.CenterCrop{Size: 16}},
		{Normalize: &clip.Normalize{Std: [3]float32{1, 1, 1}}},
	},
}

// colours is a network whose scores are the mean red, green and blue.
func colours(_ context.Context, clips []*clip.Clip) ([][]float32, error) {
	out := make([][]float32, len(clips))
	for i, c := range clips {
		h, w := c.Size()
		sums, views := make([]float32, 3), c.Views(nil, 0, c.Len())
		for k, v := range views {
			sums[k/(h*w)%3] += v / float32(c.Len()*h*w)
		}
		out[i] = sums
	}
	return out, nil
}

func open(t *testing.T, path string) *video.File {
	t.Helper()
	f, err := video.Open(t.Context(), path, video.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func odd(t *testing.T, name string) string {
	return filepath.Join(testdata.Shared(t), "data", "odd-videos", name)
}

// A seen is a window with its scores.
type seen struct {
	window.Window
	scores []float32
}

func run(t *testing.T, path string, o window.Options) []seen {
	t.Helper()
	var all []seen
	err := window.Run(t.Context(), open(t, path), spec, o, colours, func(w window.Window, scores []float32) error {
		if w.Index != len(all) {
			t.Errorf("window %d came as number %d", w.Index, len(all))
		}
		all = append(all, seen{w, scores})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(all); n == 0 || all[n-1].Of != n {
		t.Errorf("%d windows, the last one says %+v", n, all)
	}
	return all
}

func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("the ffmpeg tool, which makes the test clips, is absent")
	}
	out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-y"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
}

// draw makes a lossless video of a lavfi source.
func draw(t *testing.T, source string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "drawn.mkv")
	ffmpeg(t, "-f", "lavfi", "-i", source, "-c:v", "ffv1", path)
	return path
}

// stamps are the times of the frames that ffprobe decodes, since the first.
func stamps(t *testing.T, path string) []time.Duration {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Skip("ffprobe, which tells the time stamps: ", err)
	}
	var all []time.Duration
	for _, field := range strings.Fields(strings.ReplaceAll(string(out), ",", " ")) {
		s, err := strconv.ParseFloat(field, 64)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, time.Duration(s*1e6+0.5)*time.Microsecond) // it prints microseconds
	}
	for i := range slices.Backward(all) {
		all[i] -= all[0]
	}
	return all
}
