package check_test

import (
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/clip"
)

// folder writes n pictures of a width, different ones for each seed.
func (s *scratch) folder(name string, n, width, seed int) {
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		s.t.Fatal(err)
	}
	for i := 1; i <= n; i++ {
		s.picture(filepath.Join(dir, fmt.Sprintf("img_%05d.jpg", i)), width, 10*seed+i)
	}
}

func (s *scratch) picture(path string, width, shade int) {
	m := image.NewGray(image.Rect(0, 0, width, 16))
	for i := range m.Pix {
		m.Pix[i] = color.Gray{uint8(shade)}.Y
	}
	f, err := os.Create(path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if err := jpeg.Encode(f, m, nil); err != nil {
		s.t.Fatal(err)
	}
}

func TestFrameFolders(t *testing.T) {
	s := &scratch{t: t, dir: t.TempDir()}
	for i, name := range []string{"good", "gap", "fewer", "more", "broken", "sizes", "short", "gone"} {
		s.folder(name, 8, 32, i)
	}
	picture := func(dir string, n int) string { return filepath.Join(s.dir, dir, fmt.Sprintf("img_%05d.jpg", n)) }
	os.Remove(picture("gap", 4))
	os.Remove(picture("fewer", 8))
	s.picture(picture("more", 9), 32, 100)
	s.write(picture("broken", 5), s.read(picture("broken", 5))[:200])
	s.picture(picture("sizes", 6), 48, 7)
	for n := 3; n <= 8; n++ {
		os.Remove(picture("short", n))
	}
	os.Remove(picture("gone", 1))
	s.folder("copy", 8, 32, 0)
	s.write(filepath.Join(s.dir, "file"), []byte("x"))
	s.train = []string{"good 8 0", "gap 8 0", "fewer 8 0", "more 8 0", "broken 8 0", "sizes 8 0", "short 2 0", "gone 8 0", "copy 8 0", "nowhere 8 0", "file 8 0"}
	pattern, err := clip.ParsePattern("img_{:05}.jpg")
	if err != nil {
		t.Fatal(err)
	}
	o := s.options()
	o.Names, o.Classes, o.Lists = nil, 1, o.Lists[:1]
	o.Lists[0].Frames, o.Lists[0].Pattern, o.Lists[0].Segments = true, pattern, 3
	want := []string{
		"train:2 missing-frames!", "train:3 missing-frames!", "train:5 unreadable!", "train:6 size-change", "train:7 too-short",
		"train:8 missing!", "train:9 duplicate", "train:10 missing!", "train:11 missing!",
	}
	if found, _ := s.run(o); !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	clean := "good 8 0\nfewer 7 0\nmore 9 0\nsizes 8 0\nshort 2 0\n"
	if got := string(s.read(filepath.Join(o.Dir, "train.clean.list"))); got != clean {
		t.Errorf("clean list %q, want %q", got, clean)
	}
	// Without decoding, holes and broken pictures are not seen, but the end is.
	o.Quick = true
	want = []string{"train:3 missing-frames!", "train:8 missing!", "train:10 missing!", "train:11 missing!"}
	if found, _ := s.run(o); !slices.Equal(found, want) {
		t.Errorf("quick: found %v, want %v", found, want)
	}
}
