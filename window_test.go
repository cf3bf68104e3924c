package pptsn_test

import (
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/video"
)

// One window over a whole file says what Classify says, whatever is odd about it.
func TestClassifyWindowsOfWholeFiles(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	path, _, _ := smallModel(t)
	m, err := pptsn.Open(path, pptsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, name := range []string{"gen-vfr.mp4", "gen-5-frames.mp4", "gen-claims-500-has-60.avi", "gen-truncated-faststart.mp4", "rotated-90.mov"} {
		want, err := m.Classify(t.Context(), filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var got []pptsn.Window
		segments, err := m.ClassifyWindows(t.Context(), filepath.Join(dir, name), pptsn.WindowOptions{
			Length: time.Hour, Stride: time.Minute,
			Each: func(w pptsn.Window) error { got = append(got, w); return nil },
		})
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0].Top, want.Top) || !slices.Equal(got[0].Frames, want.Frames) {
			t.Errorf("%s: windows %+v, %v, want %+v of frames %v", name, got, err, want.Top, want.Frames)
			continue
		}
		if len(segments) != 1 || segments[0].Index != want.Top[0].Index || math.Abs(segments[0].Score-want.Top[0].Score) > 1e-12 || segments[0].Start != 0 || segments[0].End != got[0].End {
			t.Errorf("%s: segments %+v, want %+v until %v", name, segments, want.Top[0], got[0].End)
		}
	}
	mistake := errors.New("mistake")
	o := pptsn.WindowOptions{Length: time.Second, Stride: time.Second, Each: func(pptsn.Window) error { return mistake }}
	if _, err := m.ClassifyWindows(t.Context(), filepath.Join(dir, "gen-vfr.mp4"), o); err != mistake {
		t.Errorf("error %v, want that of Each", err)
	}
	for name, want := range map[string]error{"nope.mp4": fs.ErrNotExist, "gen-zero-byte.mp4": video.ErrEmpty, "audio-only.mp4": video.ErrNoVideoStream, "gen-0-frames.avi": video.ErrNoFrames} {
		if _, err := m.ClassifyWindows(t.Context(), filepath.Join(dir, name), o); !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", name, err, want)
		}
	}
}
