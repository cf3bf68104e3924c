package window_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/video"
	"github.com/pptsn/pptsn/window"
)

const (
	s  = time.Second
	ms = time.Millisecond
)

// Which windows a video has: start, end, first frame, number of frames. By hand.
func TestWindows(t *testing.T) {
	type part struct {
		start, end    time.Duration
		first, frames int
	}
	at10 := draw(t, "testsrc2=s=32x24:r=10:d=7") // 70 frames
	for _, tc := range []struct {
		name           string
		path           string
		length, stride time.Duration
		want           []part
	}{
		{"side by side, the tail is half a window", at10, 2 * s, 2 * s, []part{{0, 2 * s, 0, 20}, {2 * s, 4 * s, 20, 20}, {4 * s, 6 * s, 40, 20}, {6 * s, 7 * s, 60, 10}}},
		{"the tail is less than half", at10, 4 * s, 3 * s, []part{{0, 4 * s, 0, 40}, {3 * s, 7 * s, 30, 40}}},
		{"a tail of two fifths", at10, 5 * s, 5 * s, []part{{0, 5 * s, 0, 50}}},
		{"overlapping", at10, 4 * s, 2 * s, []part{{0, 4 * s, 0, 40}, {2 * s, 6 * s, 20, 40}, {4 * s, 7 * s, 40, 30}}},
		{"gaps", at10, 1 * s, 3 * s, []part{{0, 1 * s, 0, 10}, {3 * s, 4 * s, 30, 10}, {6 * s, 7 * s, 60, 10}}},
		{"longer than the video", at10, time.Hour, time.Hour, []part{{0, 7 * s, 0, 70}}},
		{"between two frames", at10, 250 * ms, 6500 * ms, []part{{0, 250 * ms, 0, 3}, {6500 * ms, 6750 * ms, 65, 3}}},
		{"five frames", draw(t, "testsrc2=s=32x24:r=25:d=0.2"), 80 * ms, 80 * ms, []part{{0, 80 * ms, 0, 2}, {80 * ms, 160 * ms, 2, 2}, {160 * ms, 200 * ms, 4, 1}}},
		{"one frame", draw(t, "testsrc2=s=32x24:r=25:d=0.04"), 1 * s, 1 * s, []part{{0, 40 * ms, 0, 1}}},
		{"a picture each four seconds", draw(t, "testsrc2=s=32x24:r=1/4:d=12"), 2 * s, 2 * s, // what is on the screen counts
			[]part{{0, 2 * s, 0, 1}, {2 * s, 4 * s, 0, 1}, {4 * s, 6 * s, 1, 1}, {6 * s, 8 * s, 1, 1}, {8 * s, 10 * s, 2, 1}, {10 * s, 12 * s, 2, 1}}},
	} {
		var got []part
		for _, w := range run(t, tc.path, window.Options{Length: tc.length, Stride: tc.stride}) {
			got = append(got, part{w.Start, w.End, w.First, w.Frames})
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// One window over all of a file is what clip.Load makes of the file: the frames,
// the views and the errors, whatever is odd about it.
func TestOneWindowIsTheWholeFile(t *testing.T) {
	paths, err := filepath.Glob(odd(t, "*"))
	if err != nil || len(paths) < 50 {
		t.Fatal(len(paths), err)
	}
	for _, path := range paths {
		name := filepath.Base(path)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(path) == ".md" || info.Size() > 500_000 { // text; nothing odder than others, and slow
			continue
		}
		f, err := video.Open(t.Context(), path, video.Options{})
		if err != nil {
			continue // as for Classify
		}
		defer f.Close()
		want, wantErr := clip.Load(t.Context(), f, spec, clip.Options{})
		n := 0
		var views []float32
		look := func(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
			views = clips[0].Views(nil, 0, clips[0].Len())
			return colours(ctx, clips)
		}
		err = window.Run(t.Context(), f, spec, window.Options{Length: 24 * time.Hour, Stride: time.Hour}, look, func(w window.Window, _ []float32) error {
			if n++; want == nil || n > 1 || !slices.Equal(w.Chosen, want.Frames) || !slices.Equal(views, want.Views(nil, 0, want.Len())) {
				t.Errorf("%s: frames %v, want those and pictures of %+v, %v", name, w.Chosen, want, wantErr)
			}
			return nil
		})
		if (err == nil) != (wantErr == nil) || err == nil && n != 1 {
			t.Errorf("%s: error %v, want %v", name, err, wantErr)
		}
		if want == nil && !errors.Is(err, video.ErrNoFrames) {
			t.Logf("%s: %v (%v)", name, err, wantErr)
		}
	}
}

// A window's frames are those that ffprobe dates into it, and what the network sees
// of them is what it sees of a file into which ffmpeg cut them without loss:
// uneven times, a start that is not 0, packets that promise more than decodes, a
// container without time stamps that can be trusted.
func TestWindowIsTheCutOutFile(t *testing.T) {
	for _, tc := range []struct {
		name           string
		length, stride time.Duration
	}{
		{"gen-vfr.mp4", 1500 * ms, 700 * ms},
		{"nonzero-start.mp4", 1 * s, 1 * s},
		{"gen-corrupt-middle.mp4", 1 * s, 800 * ms},
		{"gen-truncated-faststart.mp4", 1 * s, 1 * s},
		{"gen-claims-500-has-60.avi", 900 * ms, 500 * ms},
		{"gen-open-gop-bframes.mp4", 2 * s, 1500 * ms},
	} {
		path := odd(t, tc.name)
		times := stamps(t, path)
		all := run(t, path, window.Options{Length: tc.length, Stride: tc.stride})
		for k, w := range all {
			start := time.Duration(k) * tc.stride
			first, _ := slices.BinarySearch(times, start)
			end, _ := slices.BinarySearch(times, start+tc.length)
			if w.Start != start || w.First != first || w.Frames != end-first {
				t.Errorf("%s: window %d is %+v, want frames %d to %d", tc.name, k, w.Window, first, end)
			}
		}
		w := all[len(all)/2]
		cut := filepath.Join(t.TempDir(), "cut.mkv")
		ffmpeg(t, "-threads", "1", "-i", path, "-vf", "select=between(n\\,"+strconv.Itoa(w.First)+"\\,"+strconv.Itoa(w.First+w.Frames-1)+")", "-fps_mode", "passthrough", "-c:v", "ffv1", cut)
		c, err := clip.Load(t.Context(), open(t, cut), spec, clip.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want, _ := colours(t.Context(), []*clip.Clip{c})
		for i := range c.Frames {
			c.Frames[i] += w.First
		}
		if !slices.Equal(w.scores, want[0]) || !slices.Equal(w.Chosen, c.Frames) {
			t.Errorf("%s: window %d: scores %v of frames %v, of the cut-out file %v of %v", tc.name, w.Index, w.scores, w.Chosen, want[0], c.Frames)
		}
	}
}

// Windows computed together have the scores that they have alone.
func TestBatches(t *testing.T) {
	path := draw(t, "testsrc2=s=64x48:r=10:d=7")
	want := run(t, path, window.Options{Length: 2 * s, Stride: s})
	for _, batch := range []int{2, 4, 100} {
		var sizes []int
		n := 0
		forward := func(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
			sizes = append(sizes, len(clips))
			return colours(ctx, clips)
		}
		o := window.Options{Length: 2 * s, Stride: s, Batch: batch}
		if err := window.Run(t.Context(), open(t, path), spec, o, forward, func(w window.Window, scores []float32) error {
			if !slices.Equal(scores, want[n].scores) || w.Index != n {
				t.Errorf("batches of %d: window %d has other scores", batch, n)
			}
			n++
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if n != len(want) || len(sizes) != (n+batch-1)/batch {
			t.Errorf("batches of %d: %d windows in batches of %v", batch, n, sizes)
		}
	}
}

func TestCancelAndErrors(t *testing.T) {
	path := draw(t, "testsrc2=s=64x48:r=25:d=20")
	o := window.Options{Length: s, Stride: 500 * ms}
	mistake := errors.New("mistake")
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := window.Run(ctx, open(t, path), spec, o, colours, func(window.Window, []float32) error {
		if n++; n == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n > 6 {
		t.Errorf("cancelled: error %v after %d windows", err, n)
	}
	err = window.Run(t.Context(), open(t, path), spec, o, colours, func(window.Window, []float32) error { return mistake })
	if err != mistake {
		t.Errorf("error %v, want that of take", err)
	}
	broken := func(context.Context, []*clip.Clip) ([][]float32, error) { return nil, mistake }
	if err := window.Run(t.Context(), open(t, path), spec, o, broken, nil); err != mistake {
		t.Errorf("error %v, want that of the network", err)
	}
	if err := window.Run(t.Context(), open(t, path), spec, window.Options{Length: s}, colours, nil); err == nil {
		t.Error("a stride of 0 was taken")
	}
	for _, name := range []string{"claims-14315-frames.mp4", "bad-timescale.mp4"} { // packets, and nothing decodes
		f, err := video.Open(t.Context(), odd(t, name), video.Options{})
		if err == nil {
			err = window.Run(t.Context(), f, spec, o, colours, nil)
			f.Close()
		}
		if !errors.Is(err, video.ErrNoFrames) {
			t.Errorf("%s: %v, want %v", name, err, video.ErrNoFrames)
		}
	}
}

// Three clips joined: the joins are found within a stride.
func TestJoinsAreFound(t *testing.T) {
	path := draw(t, "color=0xc02020:s=64x48:r=25:d=7.3,format=rgb24[a];color=0x20c020:s=64x48:r=25:d=5.1,format=rgb24[b];color=0x2020c0:s=64x48:r=25:d=6.6,format=rgb24[c];[a][b][c]concat=n=3")
	joins := []time.Duration{0, 7300 * ms, 12400 * ms, 19 * s}
	for _, o := range []window.Options{
		{Length: 2 * s, Stride: s}, {Length: 2 * s, Stride: 2 * s}, {Length: 4 * s, Stride: 2 * s},
		{Length: 3 * s, Stride: s}, {Length: 4 * s, Stride: 500 * ms}, {Length: 2 * s, Stride: 1300 * ms}, {Length: s, Stride: 1500 * ms},
	} {
		m := window.NewMerger(o.Stride)
		for _, w := range run(t, path, o) {
			m.Add(w.Window, softmax(w.scores))
		}
		got := m.Finish()
		if len(got) != 3 {
			t.Errorf("%+v: segments %v", o, got)
			continue
		}
		for i, seg := range got {
			if seg.Class != i || (seg.Start-joins[i]).Abs() > o.Stride || (seg.End-joins[i+1]).Abs() > o.Stride || seg.Score < 0.3 {
				t.Errorf("%+v: segment %d is %+v, want class %d from %v to %v", o, i, seg, i, joins[i], joins[i+1])
			}
		}
	}
}

func softmax(scores []float32) []float64 {
	p, sum := make([]float64, len(scores)), 0.0
	for i, v := range scores {
		p[i] = math.Exp(20 * float64(v))
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}
