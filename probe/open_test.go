package probe_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/probe"
	"github.com/pptsn/pptsn/video"
)

// chosen are some frames of a file, as package clip asks for them: again if the
// file turns out to hold another number.
func chosen(t *testing.T, c *probe.Cache, path string) []*frame.RGB {
	t.Helper()
	ctx := context.Background()
	f, err := c.Open(ctx, path, video.Options{})
	if err != nil {
		return nil
	}
	defer f.Close()
	for {
		n := f.Len()
		frames, err := f.Frames(ctx, []int{n / 7, n / 2, n * 6 / 7, n - 1})
		var changed *video.LenError
		if errors.As(err, &changed) {
			continue
		}
		if err != nil {
			return nil
		}
		return frames
	}
}

func same(a, b []*frame.RGB) bool {
	return slices.EqualFunc(a, b, func(p, q *frame.RGB) bool {
		return p.W == q.W && p.H == q.H && bytes.Equal(p.Pix, q.Pix)
	})
}

func TestFramesOfKnownFiles(t *testing.T) {
	c := cache(t)
	for _, path := range files(t, "videos/*", "odd-videos/*") {
		if info, err := os.Stat(path); err != nil || info.Size() > 600_000 {
			continue // takes long
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			want := chosen(t, nil, path)
			for _, when := range []string{"first", "second"} {
				if got := chosen(t, c, path); !same(got, want) {
					t.Errorf("the frames differ when it is opened for the %s time", when)
				}
			}
		})
	}
}

// The index of each clip serves for each other one, as no identity would let it.
func TestFramesDespiteWrongIndex(t *testing.T) {
	paths := files(t, "odd-videos/gen-vfr.mp4", "odd-videos/gen-corrupt-middle.mp4", "odd-videos/gen-edit-list.mp4",
		"odd-videos/gen-truncated-faststart.mp4", "odd-videos/gen-7-frames.mp4", "actions/Biking/*g01_c0[12].avi")
	dir := t.TempDir()
	c, err := probe.OpenCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	places, indexes, want := make([]string, len(paths)), make([][]byte, len(paths)), make([][]*frame.RGB, len(paths))
	for i, path := range paths {
		before := entries(t, dir)
		want[i] = chosen(t, c, path)
		for _, e := range entries(t, dir) {
			if !slices.Contains(before, e) {
				places[i] = e
			}
		}
		if indexes[i], err = os.ReadFile(places[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i, path := range paths {
		for k, wrong := range indexes {
			if err := os.WriteFile(places[i], wrong, 0o644); err != nil {
				t.Fatal(err)
			}
			if got := chosen(t, c, path); len(got) == 0 || !same(got, want[i]) {
				t.Errorf("%s: %d frames, not the right ones, with the index of %s", filepath.Base(path), len(got), filepath.Base(paths[k]))
			}
		}
	}
}

// The index of before is not used for a file of the same name.
func TestReplacedFileIsSeen(t *testing.T) {
	c := cache(t)
	both := files(t, "odd-videos/gen archery with space.mp4", "odd-videos/gen-vfr.mp4")
	path := clone(t, both[0])
	chosen(t, c, path)
	want := chosen(t, nil, both[1])
	if err := os.Rename(clone(t, both[1]), path); err != nil {
		t.Fatal(err)
	}
	f, err := c.Open(context.Background(), path, video.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Len() != 70 || !same(chosen(t, c, path), want) {
		t.Errorf("%d frames, want the 70 of the new file", f.Len())
	}
}

// What Facts found out serves Open.
func TestFactsBringTheIndex(t *testing.T) {
	dir := t.TempDir()
	c, err := probe.OpenCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := short(t)
	facts(t, c, path)
	before, err := os.Stat(index(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	chosen(t, c, path)
	if after, err := os.Stat(index(t, dir)); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the index was written again: %v", err)
	}
}

func index(t *testing.T, dir string) string {
	t.Helper()
	for _, e := range entries(t, dir) {
		if strings.HasSuffix(e, "-index") {
			return e
		}
	}
	t.Fatal("no index")
	return ""
}
