package prepare_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/prepare"
	"github.com/pptsn/pptsn/video"
)

// seconds are the times of a video's frames since the first, by ffprobe.
func seconds(t *testing.T, path string) []float64 {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Skip("no ffprobe: ", err)
	}
	var all []float64
	for _, field := range strings.Fields(strings.ReplaceAll(string(out), ",", " ")) {
		s, err := strconv.ParseFloat(field, 64)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, s)
	}
	for i := len(all) - 1; i >= 0; i-- {
		all[i] -= all[0]
	}
	return all
}

func all(t *testing.T, path string) []*frame.RGB {
	t.Helper()
	f, err := video.Open(context.Background(), path, video.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Count(context.Background()); err != nil {
		t.Fatal(err)
	}
	indices := make([]int, f.Len())
	for i := range indices {
		indices[i] = i
	}
	pictures, err := f.Frames(context.Background(), indices)
	if err != nil {
		t.Fatal(err)
	}
	return pictures
}

func psnr(a, b *frame.RGB) float64 {
	sum := 0.0
	for i := range a.Pix {
		d := float64(a.Pix[i]) - float64(b.Pix[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a.Pix))/sum)
}

// A copy has the pictures of the original, as many, at the same times.
func TestCompactIsTheSameVideo(t *testing.T) {
	shared := testdata.Shared(t)
	for _, tc := range []struct {
		file  string
		short int
		w, h  int     // of the copy
		floor float64 // of the PSNR, dB
	}{
		{"odd-videos/gen-vfr.mp4", 256, 320, 240, 33},
		{"odd-videos/gen-rotated-90.mp4", 120, 160, 120, 33},
		{"odd-videos/rotated-90.mov", 256, 256, 454, 33},
		{"odd-videos/vfr-600.mov", 101, 134, 100, 30},
		{"odd-videos/odd-dims-444.mp4", 0, 320, 240, 24}, // 4:4:4 and thin lines of colour: halving its chroma alone gives 26.5
		{"odd-videos/one-frame-mpeg4.mp4", 256, 64, 64, 30},
		{"odd-videos/full-range-bt601.mp4", 0, 320, 240, 31},
		{"odd-videos/gen-claims-500-has-60.avi", 0, 320, 240, 33},
		{"actions/Basketball/v_Basketball_g18_c03.avi", 256, 320, 240, 33},
	} {
		t.Run(filepath.Base(tc.file), func(t *testing.T) {
			t.Parallel()
			source, out := filepath.Join(shared, "data", tc.file), t.TempDir()
			p := planned(t, filepath.Dir(source), store(t, filepath.Join(t.TempDir(), "one.list"), filepath.Base(source)+" 7\n"))
			s, err := prepare.Compact{ShortSide: tc.short, GOP: 8, CRF: 20}.Run(context.Background(), p, prepare.RunOptions{Out: out})
			if err != nil || s.Made != 1 || len(s.Lists) != 1 {
				t.Fatalf("%+v, %v", s, err)
			}
			path := filepath.Join(out, p.Sources[0].Name+".mp4")
			if list, _ := os.ReadFile(s.Lists[0]); string(list) != p.Sources[0].Name+".mp4 7\n" {
				t.Errorf("%s: %q", s.Lists[0], list)
			}
			want, got := seconds(t, source), seconds(t, path)
			if len(got) != len(want) || s.Pictures != len(want) {
				t.Fatalf("%d frames and the sum says %d, want %d", len(got), s.Pictures, len(want))
			}
			for i := range want {
				if math.Abs(got[i]-want[i]) > 1e-5 {
					t.Fatalf("frame %d is shown at %v s, want %v", i, got[i], want[i])
				}
			}
			was, is := all(t, source), all(t, path)
			least := math.Inf(1)
			for i := range was {
				small := frame.NewRGB(tc.w, tc.h)
				frame.ResizeOpenCV(small, was[i])
				if is[i].W != tc.w || is[i].H != tc.h {
					t.Fatalf("%dx%d, want %dx%d", is[i].W, is[i].H, tc.w, tc.h)
				}
				least = min(least, psnr(small, is[i]))
			}
			if least < tc.floor {
				t.Errorf("a frame has a PSNR of %.1f dB, want %.0f", least, tc.floor)
			}
		})
	}
}

func TestCompactAgainAndList(t *testing.T) {
	dir, list := clips(t)
	out := t.TempDir()
	c := prepare.Compact{ShortSide: 48, GOP: 4, CRF: 20}
	run := func(c prepare.Compact, force bool) (prepare.Summary, error) {
		return c.Run(context.Background(), planned(t, dir, list), prepare.RunOptions{Out: out, Force: force})
	}
	s, err := run(c, false)
	if err != nil || s.Made != 3 || s.Failed != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	whole := tree(t, out)
	set, err := dataset.Open(dataset.Options{List: s.Lists[0], Prefix: out, Spec: spec})
	if err != nil || set.Len() != 4 {
		t.Fatal(err)
	}
	for i := range set.Len() {
		if _, err := set.Load(context.Background(), i, nil); err != nil {
			t.Error(err)
		}
	}
	if s, err := run(c, false); err != nil || s.Made != 0 || s.Kept != 3 {
		t.Errorf("again: %+v, %v", s, err)
	}
	one := filepath.Join(out, "a/one.mp4")
	data, _ := os.ReadFile(one)
	if err := os.Remove(one); err != nil {
		t.Fatal(err)
	}
	store(t, filepath.Join(out, "a/.one.mp4.pptsn-tmp/.one.mp4.12.tmp"), "half")
	if s, err := run(c, false); err != nil || s.Made != 1 || fmt.Sprint(tree(t, out)) != fmt.Sprint(whole) {
		t.Errorf("one gone: %+v, %v", s, err)
	}
	os.WriteFile(one, data[:len(data)-1], 0o666)
	if s, err := run(c, true); err != nil || s.Failed != 2 {
		t.Errorf("one that is not ours, for all we know: %+v, %v", s, err)
	}
	os.WriteFile(one, data, 0o666)
	if _, err := run(prepare.Compact{ShortSide: 48, GOP: 4, CRF: 30}, false); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("other settings: %v", err)
	}
	if s, err := run(prepare.Compact{ShortSide: 48, GOP: 4, CRF: 30}, true); err != nil || s.Made != 3 {
		t.Errorf("forced: %+v, %v", s, err)
	}
	if _, err := os.Stat(filepath.Join(out, "b/bad.mp4")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made of a bad video: %v", err)
	}
}
