package video_test

import (
	"context"
	"encoding/csv"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/video"
)

func TestRealClipsAgreeWithFFmpeg(t *testing.T) {
	for _, path := range files(t, "data/odd-videos/*", "data/videos/*") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			f, err := video.Open(context.Background(), path, video.Options{})
			if err != nil {
				if n := len(decoded(t, path).frames); n > 0 && !errors.Is(err, video.ErrNoVideoStream) {
					t.Fatalf("ffmpeg decodes %d frames, but: %v", n, err)
				}
				return // TestOpenErrors looks closer
			}
			f.Close()
			agree(t, path)
		})
	}
}

// The counts in the README of actions are ffprobe's; some AVI headers there lie.
func TestCountOfActions(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "actions")
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Skip(err)
	}
	_, table, _ := strings.Cut(string(readme), "## Every clip")
	clips := 0
	for line := range strings.Lines(table) {
		cell := strings.Split(line, "|")
		if len(cell) < 6 {
			continue
		}
		want, err := strconv.Atoi(strings.TrimSpace(cell[5]))
		if err != nil {
			continue
		}
		clips++
		name := strings.TrimSpace(cell[1])
		f := open(t, filepath.Join(dir, name))
		if f.Len() != want {
			t.Errorf("%s: Len is %d, want %d", name, f.Len(), want)
		}
		if clips%10 != 0 { // decoding them all takes long
			continue
		}
		if n, err := f.Count(context.Background()); n != want || err != nil {
			t.Errorf("%s: Count is %d, %v, want %d", name, n, err, want)
		}
	}
	if clips == 0 {
		t.Error("no clips in the README's table")
	}
}

func TestActionsWithLyingHeadersAgreeWithFFmpeg(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "actions")
	for _, name := range []string{
		"Basketball/v_Basketball_g18_c03.avi", "Basketball/v_Basketball_g13_c04.avi", "WalkingWithDog/v_WalkingWithDog_g12_c03.avi",
	} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			agree(t, filepath.Join(dir, name))
		})
	}
}

// packets lists offset and size in bytes of each video packet, by ffprobe.
func packets(t *testing.T, path string) (offset, size []int) {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_packets",
		"-show_entries", "packet=size,pos", "-of", "csv=p=0", "file:"+path).Output()
	if err != nil {
		t.Skip("no ffprobe: ", err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		s, _ := strconv.Atoi(r[0])
		o, _ := strconv.Atoi(r[1])
		offset, size = append(offset, o), append(size, s)
	}
	return offset, size
}

// TestDamage overwrites bytes inside single packets of otherwise good files,
// which are only noticed while decoding.
func TestDamage(t *testing.T) {
	for _, tc := range []struct {
		name, args string
		packets    []int // in the order of decoding
		from, to   int   // which bytes, in percent of a packet
	}{
		{"first.mp4", x264("keyint=25:bframes=2"), []int{0}, 40, 60},
		{"reference.mp4", x264("keyint=25:bframes=2"), []int{4}, 30, 90},
		{"several.mkv", x264("keyint=25:bframes=2"), []int{7, 8, 9, 30, 55}, 30, 90},
		{"whole.mp4", x264("keyint=25:bframes=2"), []int{10, 40}, 0, 100},
		{"hevc.mp4", x265("keyint=25:bframes=2"), []int{5, 26}, 30, 90},
		{"mpeg4.mp4", src + " -c:v mpeg4 -bf 2 -g 12 -q:v 5", []int{3, 12, 20}, 30, 90},
		{"mjpeg.mov", src + " -c:v mjpeg -q:v 5", []int{3, 12, 20}, 0, 50},
		{"mpeg4.avi", src + " -c:v mpeg4 -g 12 -q:v 5", []int{3, 12, 20}, 30, 90},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := made(t, tc.name, tc.args)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			offset, size := packets(t, path)
			for _, p := range tc.packets {
				at := data[offset[p]:][:size[p]]
				for i := size[p] * tc.from / 100; i < size[p]*tc.to/100; i++ {
					at[i] = byte(i*151 + 29)
				}
			}
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			agreeAfterDamage(t, path)
		})
	}
}

// agreeAfterDamage is agree without choices that may miss the damage.
func agreeAfterDamage(t *testing.T, path string) {
	t.Helper()
	w := decoded(t, path)
	all := upTo(len(w.frames))
	f := open(t, path)
	compare(t, f, w, all)
	if f.Len() != len(all) {
		t.Fatalf("Len is %d, ffmpeg decodes %d", f.Len(), len(all))
	}
	slices.Reverse(all)
	compare(t, f, w, all[:min(10, len(all))])
}
