package video_test

import (
	"context"
	"errors"
	"math"

	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/video"
)

func TestEachGivesTheFramesOfFrames(t *testing.T) {
	for _, name := range []string{"gen-vfr.mp4", "rotated-90.mov", "gen-resolution-change.ts", "gen-claims-500-has-60.avi", "gen-corrupt-middle.mp4", "newtonscradle.gif", "nonzero-start.mp4"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(testdata.Shared(t), "data", "odd-videos", name)
			w := decoded(t, path)
			f := open(t, path)
			times := frameTimes(t, path)
			n := 0
			if _, err := f.Each(context.Background(), func(p *video.Picture) error {
				img, err := p.RGB()
				if err != nil {
					return err
				}
				if p.Index != n || n >= len(w.frames) || sum(img.Pix) != w.frames[n] {
					t.Errorf("frame %d (%d) differs from ffmpeg's", n, p.Index)
				}
				// ffprobe prints microseconds.
				if len(times) == len(w.frames) && math.Abs(p.Time.Seconds()-(times[n]-times[0])) > 2e-6 {
					t.Errorf("frame %d is at %v, want %f s", n, p.Time, times[n]-times[0])
				}
				n++
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if n != len(w.frames) || f.Len() != n {
				t.Errorf("%d frames, Len %d, want %d", n, f.Len(), len(w.frames))
			}
		})
	}
}

// frameTimes are the frames' time stamps in seconds by ffprobe; nil where it
// knows no more than one.
func frameTimes(t *testing.T, path string) []float64 {
	t.Helper()
	if _, err := exec.LookPath("ffprobe"); err != nil {
		t.Skip("no ffprobe, which tells the time stamps")
	}
	out, err := exec.Command("ffprobe", "-v", "quiet", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var times []float64
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(strings.TrimSpace(line), ",")
		if line == "" { // of side data
			continue
		}
		s, err := strconv.ParseFloat(line, 64)
		if err != nil {
			return nil
		}
		times = append(times, s)
	}
	return times
}

func TestEachEndsWithTakesError(t *testing.T) {
	f := open(t, filepath.Join(testdata.Shared(t), "data", "odd-videos", "gen-gray.mp4"))
	enough := errors.New("enough of it")
	n := 0
	if _, err := f.Each(context.Background(), func(*video.Picture) error { n++; return enough }); err != enough || n != 1 {
		t.Errorf("after %d: %v", n, err)
	}
	if got, err := f.Count(context.Background()); got != 25 || err != nil { // it still works
		t.Errorf("Count: %d, %v", got, err)
	}
}

// Which files are damaged is in the README of odd-videos: "decode errors".
func TestFaults(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	for name, faulty := range map[string]bool{
		"gen-corrupt-middle.mp4": true, "corrupted-decord.mp4": true, "damaged.mpg": true, "gen-truncated-faststart.mp4": true,
		"gen-vfr.mp4": false, "gen-open-gop-bframes.mp4": false, "newtonscradle.gif": false, "mpeg2.mxf": false, "gen-edit-list.mp4": false, "gen-av1.webm": false,
	} {
		faults, err := open(t, filepath.Join(dir, name)).Each(context.Background(), func(*video.Picture) error { return nil })
		if err != nil || (faults != video.Faults{}) != faulty {
			t.Errorf("%s: %+v, %v, want faults: %v", name, faults, err, faulty)
		}
	}
}

func TestSumSeesPicturesOnly(t *testing.T) {
	avi := filepath.Join(testdata.Shared(t), "data", "videos", "archery-paddlevideo.avi")
	mkv := filepath.Join(t.TempDir(), "copy.mkv")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-i", avi, "-an", "-c", "copy", mkv).CombinedOutput(); err != nil {
		t.Skipf("ffmpeg: %s", out)
	}
	sums := func(path string) (sums [][16]byte) {
		if _, err := open(t, path).Each(context.Background(), func(p *video.Picture) error { sums = append(sums, p.Sum()); return nil }); err != nil {
			t.Fatal(err)
		}
		return sums
	}
	a, b := sums(avi), sums(mkv)
	if len(a) != 131 || len(b) != 131 {
		t.Fatalf("%d and %d frames, want 131", len(a), len(b))
	}
	seen := map[[16]byte]bool{}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("frame %d of the copy in another container has another sum", i)
		}
		seen[a[i]] = true
	}
	if len(seen) < 120 { // a real clip: hardly any frame twice
		t.Errorf("only %d different sums", len(seen))
	}
	if len(seen) > 0 && a[0] == ([16]byte{}) {
		t.Error("no sum")
	}
}
