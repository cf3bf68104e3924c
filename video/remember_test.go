package video_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/video"
)

func TestOpenWithIndex(t *testing.T) {
	for _, path := range files(t, "data/odd-videos/*", "data/videos/*") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			plain, err := video.Open(context.Background(), path, video.Options{})
			if err != nil {
				return
			}
			defer plain.Close()
			f := openWith(t, path, again(t, plain.Index()))
			if f.Len() != plain.Len() || f.Info() != plain.Info() {
				t.Errorf("Len %d, Info %+v, without index %d, %+v", f.Len(), f.Info(), plain.Len(), plain.Info())
			}
			// TestRealClipsAgreeWithFFmpeg holds the plain file's frames against the tool's.
			n := plain.Len()
			chosen := []int{n / 2, 0, n - 1, n / 3}
			want, wantErr := plain.Frames(context.Background(), chosen)
			got, err := f.Frames(context.Background(), chosen)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || len(got) != len(want) {
				t.Fatalf("%d frames, %v, without index %d, %v", len(got), err, len(want), wantErr)
			}
			for k := range want {
				if !bytes.Equal(got[k].Pix, want[k].Pix) {
					t.Errorf("frame %d differs", chosen[k])
				}
			}
		})
	}
}

// An index of another file of the same size and codec: whatever it says, frames
// are right or there is an error.
func TestOpenWithWrongIndex(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	for _, tc := range []struct{ index, file string }{
		{"gen-open-gop-bframes.mp4", "gen archery with space.mp4"},
		{"gen archery with space.mp4", "gen-open-gop-bframes.mp4"},
		{"gen-5-frames.mp4", "gen-vfr.mp4"},
		{"gen-vfr.mp4", "gen-2-frames.mp4"},
		{"gen-av1.webm", "gen-vp9.webm"},
	} {
		path := filepath.Join(dir, tc.file)
		f := openWith(t, path, open(t, filepath.Join(dir, tc.index)).Index())
		w := decoded(t, path)
		last := min(f.Len(), len(w.frames)) - 1
		_, err := f.Frames(context.Background(), []int{0, last})
		var lied *video.LenError
		if err != nil && !errors.As(err, &lied) {
			t.Errorf("%+v: %v", tc, err)
		}
		if lied != nil && lied.Is != len(w.frames) {
			t.Errorf("%+v: %v, want %d frames", tc, err, len(w.frames))
		}
		compare(t, f, w, []int{0, last})
	}
}

func TestOpenWithIndexOfNoFrames(t *testing.T) {
	path := filepath.Join(testdata.Shared(t), "data", "odd-videos", "gen-5-frames.mp4")
	x := again(t, open(t, path).Index())
	x.HideAll()
	if f := openWith(t, path, x); f.Len() != 5 {
		t.Errorf("%d frames, want 5", f.Len())
	}
}

func openWith(t *testing.T, path string, x *video.Index) *video.File {
	t.Helper()
	f, err := video.Open(context.Background(), path, video.Options{Index: x})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// again writes and reads an index.
func again(t *testing.T, x *video.Index) *video.Index {
	t.Helper()
	b, err := x.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	y := &video.Index{}
	if err := y.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{0, 1, len(b) / 2, len(b) - 1} {
		if (&video.Index{}).UnmarshalBinary(b[:cut]) == nil {
			t.Errorf("%d of %d bytes are taken for an index", cut, len(b))
		}
	}
	return y
}

func FuzzIndex(f *testing.F) {
	x := &video.Index{}
	b, _ := x.MarshalBinary()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var x video.Index
		if x.UnmarshalBinary(b) != nil {
			return
		}
		again(t, &x)
	})
}
