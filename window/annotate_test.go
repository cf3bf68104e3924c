package window_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
	"github.com/pptsn/pptsn/window"
)

// The copy has the frames at their times, whatever they are, and ends within a
// frame of the video's end.
func TestAnnotateKeepsTimes(t *testing.T) {
	captions := []window.Caption{{0, time.Hour, "a label 0.93"}}
	for _, path := range []string{
		odd(t, "gen-vfr.mp4"), odd(t, "nonzero-start.mp4"), odd(t, "rotated-90.mov"), odd(t, "gen-corrupt-middle.mp4"),
		odd(t, "odd-dims-444.mp4"), odd(t, "gen-1-frames.mp4"), odd(t, "-video-with-dash-.mp4"), odd(t, "gen-7x5.avi"),
	} {
		name := filepath.Base(path)
		f := open(t, path)
		out := filepath.Join(t.TempDir(), "out.mp4")
		n := 0
		if err := window.Annotate(t.Context(), f, out, captions, 1, func() { n++ }); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, got := stamps(t, path), stamps(t, out)
		if len(got) != len(want) || n != len(want) {
			t.Errorf("%s: %d frames, %d reported, want %d", name, len(got), n, len(want))
			continue
		}
		for i := range got {
			if (got[i] - want[i]).Abs() > 20*time.Microsecond {
				t.Errorf("%s: frame %d is at %v, want %v", name, i, got[i], want[i])
				break
			}
		}
		is, was := open(t, out).Info(), f.Info()
		last := 40 * ms // how long the last frame is shown
		if n := len(want); n > 1 {
			last = want[n-1] - want[n-2]
		}
		if (is.Duration - was.Duration).Abs() > last+20*time.Microsecond {
			t.Errorf("%s: %v long, want %v", name, is.Duration, was.Duration)
		}
		if is.Width != max(was.Width&^1, 2) || is.Height != max(was.Height&^1, 2) {
			t.Errorf("%s: %d x %d pixels of %d x %d", name, is.Width, is.Height, was.Width, was.Height)
		}
	}
}

// Times that go back stand still, all but.
func TestAnnotateBackwards(t *testing.T) {
	path := odd(t, "gen-resolution-change.ts") // frame 40 is dated before frame 39
	out := filepath.Join(t.TempDir(), "out.mp4")
	if err := window.Annotate(t.Context(), open(t, path), out, nil, 1, nil); err != nil {
		t.Fatal(err)
	}
	want, got := stamps(t, path), stamps(t, out)
	if len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i := range got {
		if (got[i] - want[i]).Abs() > 41*ms {
			t.Errorf("frame %d is at %v, want about %v", i, got[i], want[i])
		}
	}
}

// Captions are where and when they should be, and nothing else changes.
func TestAnnotateDraws(t *testing.T) {
	path := draw(t, "color=0x808080:s=320x240:r=10:d=3")
	out := filepath.Join(t.TempDir(), "out.mp4")
	captions := []window.Caption{{500 * ms, 1 * s, "Hi"}, {2 * s, 2500 * ms, "a label that is far too long for the width of this picture 0.93"}}
	if err := window.Annotate(t.Context(), open(t, path), out, captions, 1, nil); err != nil {
		t.Fatal(err)
	}
	for i, m := range frames(t, out) {
		corner, bright := pixel(m, 1, 1), 0
		for x := range m.W {
			for y := range 40 {
				if pixel(m, x, y) > 200 {
					bright = x
				}
			}
		}
		short, long := i >= 5 && i < 10, i >= 20 && i < 25
		if captioned := corner < 60; captioned != (short || long) {
			t.Errorf("frame %d: the corner is %d", i, corner)
		}
		if short && (bright < 5 || bright > 60) || long && bright < 250 || !short && !long && bright != 0 {
			t.Errorf("frame %d: letters reach to column %d", i, bright)
		}
		if v := pixel(m, 160, 200); v < 120 || v > 136 {
			t.Errorf("frame %d: the middle is %d", i, v)
		}
	}
}

func frames(t *testing.T, path string) []*frame.RGB {
	t.Helper()
	f := open(t, path)
	indices := make([]int, f.Len())
	for i := range indices {
		indices[i] = i
	}
	out, err := f.Frames(t.Context(), indices)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pixel is the green of one.
func pixel(m *frame.RGB, x, y int) int { return int(m.Pix[3*(y*m.W+x)+1]) }

// Nothing is left of a copy that is not finished, and a file at its place stays.
func TestAnnotateCancelled(t *testing.T) {
	path := draw(t, "testsrc2=s=64x48:r=25:d=8")
	dir := t.TempDir()
	out := filepath.Join(dir, "out.mp4")
	if err := os.WriteFile(out, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := window.Annotate(ctx, open(t, path), out, nil, 1, func() {
		if n++; n == 50 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	text, _ := os.ReadFile(out)
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 || string(text) != "old" {
		t.Errorf("the folder holds %v, the file %q", list, text)
	}
	f, err := video.Open(t.Context(), odd(t, "claims-14315-frames.mp4"), video.Options{})
	if err == nil {
		defer f.Close()
		err = window.Annotate(t.Context(), f, out, nil, 1, nil)
	}
	if !errors.Is(err, video.ErrNoFrames) {
		t.Errorf("no frames: error %v", err)
	}
}
