package probe_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/probe"
)

// The README's counts are those of ffprobe.
func TestFactsOfOddVideos(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{
		"zero-byte.webm": probe.Empty, "gen-zero-byte.mp4": probe.Empty,
		"audio-only.mp4": probe.NoVideo, "gen-audio-with-cover.m4a": probe.NoVideo,
		"missing-moov.mp4": probe.Unreadable, "gen-missing-moov.mp4": probe.Unreadable,
		"gen-text-named.mp4": probe.Unreadable, "chunk-out-of-range.mp4": probe.Unreadable,
		"bad-timescale.mp4": probe.NoFrames, "claims-14315-frames.mp4": probe.NoFrames,
		"init-segment-only.mp4": probe.NoFrames, "gen-0-frames.avi": probe.NoFrames,
	}
	faulty := map[string]bool{
		"corrupted-decord.mp4": true, "damaged.mpg": true, "gen-corrupt-middle.mp4": true, "gen-truncated-faststart.mp4": true,
	}
	rows := 0
	for line := range strings.Lines(string(readme)) {
		cell := strings.Split(line, "|")
		if len(cell) < 11 || !strings.HasPrefix(cell[1], " `") {
			continue
		}
		name := strings.Trim(cell[1], " `")
		want, _ := strconv.Atoi(strings.TrimSpace(cell[9]))
		switch name {
		case "gen-two-video-streams.mkv":
			want = 50 // the README counts in the first stream, ffmpeg takes the default one
		case "gen-audio-with-cover.m4a":
			want = 0 // a cover is no video
		}
		size, _ := strconv.ParseInt(strings.TrimSpace(cell[4]), 10, 64)
		rows++
		if name == "gen-8k-2frames.mp4" {
			continue // takes seconds
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, name)
			f, known := facts(t, nil, path)
			if known {
				t.Error("no cache remembers it")
			}
			if f.Frames != want || f.Size != size {
				t.Errorf("%d frames in %d bytes, want %d in %d", f.Frames, f.Size, want, size)
			}
			if data, err := os.ReadFile(path); err != nil || f.SHA256 != sha256.Sum256(data) {
				t.Errorf("SHA-256 %x, %v", f.SHA256, err)
			}
			kind := ""
			if f.Err != nil {
				kind = f.Err.Kind
			}
			if kind != kinds[name] || (kind != "") != (want == 0) {
				t.Errorf("%v of kind %q, want %q", f.Err, kind, kinds[name])
			}
			if f.Err != nil && strings.Contains(f.Err.Message, dir) {
				t.Errorf("the message %q names the folder, where the file may lie no more", f.Err.Message)
			}
			if bad := f.Faults.Packets+f.Faults.Damaged > 0; bad != faulty[name] {
				t.Errorf("faults %+v, want some: %t", f.Faults, faulty[name])
			}
			if (f.Thumb != nil) != (f.Frames > 0) {
				t.Errorf("thumbnail %v of %d frames", f.Thumb, f.Frames)
			}
		})
	}
	if rows < 80 {
		t.Errorf("%d rows in the README", rows)
	}
}

// ffmpeg runs the tool, or skips the test without it.
func ffmpeg(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-y"}, args...)...).Output()
	if err != nil {
		t.Skip("no ffmpeg: ", err)
	}
	return out
}

func TestPicturesOfCopies(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "videos")
	path := filepath.Join(dir, "dance-stage.mp4")
	mkv := filepath.Join(t.TempDir(), "copy.mkv")
	ffmpeg(t, "-i", path, "-an", "-c", "copy", mkv)
	a, _ := facts(t, nil, path)
	b, _ := facts(t, nil, mkv)
	if a.Pictures != b.Pictures || a.SHA256 == b.SHA256 || a.Info.Container == b.Info.Container {
		t.Errorf("a copy in another container: pictures %x and %x, files %x and %x, %s and %s",
			a.Pictures, b.Pictures, a.SHA256, b.SHA256, a.Info.Container, b.Info.Container)
	}
	c, _ := facts(t, nil, filepath.Join(dir, "running-race.mp4"))
	if a.Pictures == c.Pictures {
		t.Error("another clip has the same pictures")
	}
}

func TestThumbnailIsTheMiddleFrame(t *testing.T) {
	path := filepath.Join(testdata.Shared(t), "data", "videos", "archery-paddlevideo.avi") // 131 frames of 320 x 240
	frames, err := ffmpegThumbs(t, path)
	if err != nil {
		t.Fatal(err)
	}
	c := cache(t)
	first, _ := facts(t, c, path)
	if first.Thumb == nil || first.Thumb.W != 160 || first.Thumb.H != 120 {
		t.Fatalf("thumbnail %v", first.Thumb)
	}
	nearest, least := -1, 1e9
	for i, want := range frames {
		sum := 0.0
		for k, v := range first.Thumb.Pix {
			d := float64(v) - float64(want[k])
			sum += d * d
		}
		if mean := sum / float64(len(want)); mean < least {
			nearest, least = i, mean
		}
	}
	if nearest != 65 || least > 60 { // a picture that went through JPEG and another scaler
		t.Errorf("it is like frame %d, mean square difference %.1f; want frame 65", nearest, least)
	}
	again, known := facts(t, c, path)
	if !known || string(again.Thumb.Pix) != string(first.Thumb.Pix) {
		t.Errorf("known %t; the remembered thumbnail must be the first one", known)
	}
	small, _, err := c.Facts(context.Background(), path, probe.Options{Thumb: 40})
	if err != nil || small.Thumb.W != 40 || small.Thumb.H != 30 {
		t.Errorf("%v, %v, want 40 x 30", small.Thumb, err)
	}
	none, _, _ := c.Facts(context.Background(), path, probe.Options{})
	if none.Thumb != nil {
		t.Error("a thumbnail that nobody asked for")
	}
}

// ffmpegThumbs are all frames as 160 x 120 RGB.
func ffmpegThumbs(t *testing.T, path string) ([][]byte, error) {
	raw := ffmpeg(t, "-i", path, "-fps_mode", "passthrough", "-vf", "scale=160:120:flags=bilinear", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
	const size = 160 * 120 * 3
	var frames [][]byte
	for ; len(raw) >= size; raw = raw[size:] {
		frames = append(frames, raw[:size])
	}
	return frames, nil
}

func TestUnreadableFilesAreErrors(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.mp4")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*probe.Cache{nil, cache(t)} {
		for path, want := range map[string]error{
			filepath.Join(dir, "none.mp4"): fs.ErrNotExist, dir: syscall.EISDIR, pipe: nil,
		} {
			f, known, err := c.Facts(context.Background(), path, probe.Options{})
			if err == nil || known || f != (probe.Facts{}) || (want != nil && !errors.Is(err, want)) {
				t.Errorf("%s: %v, want %v", path, err, want)
			}
		}
	}
}

func TestTimeoutIsNotRemembered(t *testing.T) {
	path := clone(t, filepath.Join(testdata.Shared(t), "data", "videos", "archery-paddlevideo.avi"))
	c := cache(t)
	f, _, err := c.Facts(context.Background(), path, probe.Options{Timeout: time.Millisecond})
	if err != nil || f.Err == nil || f.Err.Kind != probe.Timeout {
		t.Errorf("%v, %v, want a time limit", f.Err, err)
	}
	if f, known := facts(t, c, path); known || f.Frames != 131 {
		t.Errorf("after the time limit: known %t, %d frames, want 131", known, f.Frames)
	}
}

func TestCancelFacts(t *testing.T) {
	path := files(t, "videos/*.avi")[0]
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(5*time.Millisecond, cancel)
	if f, _, err := cache(t).Facts(ctx, path, probe.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v, want a cancelled context's error", f, err)
	}
}
