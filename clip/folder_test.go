package clip_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
)

// decodeDot reads the test's picture format: one byte, one grey pixel.
func decodeDot(b []byte) (*frame.RGB, error) {
	if len(b) != 1 {
		return nil, errDamaged
	}
	return &frame.RGB{W: 1, H: 1, Pix: []byte{b[0], b[0], b[0]}}, nil
}

// folderOf writes files whose content is their position.
func folderOf(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte{byte(i)}, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenFolder(t *testing.T) {
	for _, tc := range []struct {
		name, pattern string
		files         []string
		want          int
		err           string
	}{
		{"three", "img_{:05}.jpg", []string{"img_00001.jpg", "img_00002.jpg", "img_00003.jpg"}, 3, ""},
		{"more digits than the width", "{:01}", strings.Fields("1 2 3 4 5 6 7 8 9 10"), 10, ""},
		{"other names are not counted", "{:02}.jpg",
			strings.Fields("01.jpg 1.jpg 001.jpg x01.jpg 01.jpg.tmp 01.png 00.jpg -1.jpg +2.jpg"), 1, ""},
		{"a hole", "{}.jpg", strings.Fields("1.jpg 2.jpg 4.jpg"), 0, "3.jpg is missing, but 4.jpg is there"},
		{"not from 1", "{}.jpg", strings.Fields("5.jpg 6.jpg"), 0, "1.jpg is missing, but 5.jpg is there"},
		{"none", "{:03}.jpg", []string{"1.jpg"}, 0, "no frames: no picture named like 001.jpg"},
		{"bad pattern", "img.jpg", nil, 0, "no field"},
	} {
		f, err := clip.OpenFolder(folderOf(t, tc.files...), tc.pattern, decodeDot)
		switch {
		case tc.err != "":
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: %v, want %q", tc.name, err, tc.err)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case f.Len() != tc.want:
			t.Errorf("%s: %d frames, want %d", tc.name, f.Len(), tc.want)
		}
	}
	if _, err := clip.OpenFolder(t.TempDir(), "{}", decodeDot); !errors.Is(err, clip.ErrNoFrames) {
		t.Errorf("empty folder: %v, want ErrNoFrames", err)
	}
	if _, err := clip.OpenFolder(filepath.Join(t.TempDir(), "none"), "{}", decodeDot); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v, want fs.ErrNotExist", err)
	}
	if _, err := clip.OpenFolder(filepath.Join(folderOf(t, "1"), "1"), "{}", decodeDot); err == nil {
		t.Error("a file instead of a folder: no error")
	}
}

func TestFolderFrames(t *testing.T) {
	f, err := clip.OpenFolder(folderOf(t, "1", "2", "3"), "{}", decodeDot)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Frames(t.Context(), []int{2, 0, 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Pix[0] != 2 || got[1].Pix[0] != 0 || got[2] != got[0] {
		t.Errorf("frames 2, 0, 2 are %v", got)
	}
}

func TestFolderOfKnownLength(t *testing.T) {
	p, err := clip.ParsePattern("{:03}.jpg")
	if err != nil {
		t.Fatal(err)
	}
	dir := folderOf(t, "001.jpg", "002.jpg", "004.jpg")
	if err := os.WriteFile(filepath.Join(dir, "002.jpg"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	f := &clip.Folder{Dir: dir, Pattern: p, N: 4, Decode: decodeDot}
	for _, tc := range []struct {
		index int
		err   error
		names string
	}{
		{0, nil, ""},
		{1, errDamaged, "002.jpg"},
		{2, fs.ErrNotExist, "003.jpg"},
		{3, nil, ""},
	} {
		if _, err := f.Frames(t.Context(), []int{tc.index}); !errors.Is(err, tc.err) || err != nil && !strings.Contains(err.Error(), tc.names) {
			t.Errorf("frame %d: %v, want %v of %s", tc.index, err, tc.err, tc.names)
		}
	}
	for _, index := range []int{-1, 4} {
		if _, err := f.Frames(t.Context(), []int{index}); err == nil {
			t.Errorf("frame %d of 4: no error", index)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Frames(ctx, []int{0}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Names are those of Python's str.format.
func TestPattern(t *testing.T) {
	for _, tc := range []struct {
		pattern string
		n       int
		want    string
	}{
		{"img_{:05}.jpg", 1, "img_00001.jpg"},
		{"img_{:05d}.jpg", 123456, "img_123456.jpg"},
		{"img_{0:05d}.jpg", 42, "img_00042.jpg"},
		{"{}", 7, "7"},
		{"{:}", 7, "7"},
		{"{:d}.png", 7, "7.png"},
		{"{0}.png", 7, "7.png"},
		{"{:010}", 7, "0000000007"},
		{"100%_{:02}", 7, "100%_07"},
		{"{{{:02}}}", 7, "{07}"},
	} {
		p, err := clip.ParsePattern(tc.pattern)
		if err != nil {
			t.Errorf("%q: %v", tc.pattern, err)
		} else if got := p.Name(tc.n); got != tc.want {
			t.Errorf("%q of %d is %q, want %q", tc.pattern, tc.n, got, tc.want)
		}
	}
	for _, tc := range []struct{ pattern, want string }{
		{"", "no field"},
		{"img.jpg", "no field"},
		{"img_%05d.jpg", "no field"},
		{"{:05}_{:05}.jpg", "more than one field"},
		{"{:5}.jpg", "field {:5}"}, // Python fills with spaces
		{"{:<05}.jpg", "field {:<05}"},
		{"{:05x}.jpg", "field {:05x}"},
		{"{:05.1f}.jpg", "field"},
		{"{1:05}.jpg", "field {1:05}"},
		{"{n:05}.jpg", "field {n:05}"},
		{"{0.__class__}.jpg", "field"},
		{"{:099999}", "field"},
		{"{:05.jpg", "{ without"},
		{"img}.jpg", "} without"},
		{"a/{}.jpg", "not a path"},
		{"../{}.jpg", "not a path"},
	} {
		if _, err := clip.ParsePattern(tc.pattern); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %q", tc.pattern, err, tc.want)
		}
	}
}

func FuzzParsePattern(f *testing.F) {
	for _, s := range []string{"img_{:05}.jpg", "{0:05d}", "{{{}}}", "{:99}", "}{"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := clip.ParsePattern(s)
		if err != nil {
			return
		}
		if a, b := p.Name(1), p.Name(2); a == b || strings.ContainsRune(a, '/') || len(a) > len(s)+100 {
			t.Errorf("%q names %q and %q", s, a, b)
		}
	})
}

func ExampleParsePattern() {
	p, err := clip.ParsePattern("img_{:05}.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Name(1), p.Name(2))
	// Output: img_00001.jpg img_00002.jpg
}
