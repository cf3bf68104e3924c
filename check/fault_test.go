package check_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/check"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/probe"
)

// cache is shared by the tests, so that each real clip is decoded once.
var cache = sync.OnceValues(func() (*probe.Cache, error) {
	dir, err := os.MkdirTemp("", "check-test-")
	if err != nil {
		return nil, err
	}
	cacheDir = dir
	return probe.OpenCache(dir)
})

var cacheDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if cacheDir != "" {
		os.RemoveAll(cacheDir)
	}
	os.Exit(code)
}

// A scratch is a folder of real clips of four classes with a list for training
// and one for validation, to be spoilt.
type scratch struct {
	t          *testing.T
	dir        string
	train, val []string // lines
}

var classNames = []string{"Basketball", "Biking", "Diving", "JumpRope"}

// newScratch takes the first five clips of a class for training, and two for
// validation, from those lists of the real data.
func newScratch(t *testing.T) *scratch {
	s := &scratch{t: t, dir: t.TempDir()}
	actions := filepath.Join(testdata.Shared(t), "data", "actions")
	s.train, s.val = s.link(actions, "train.list", 5), s.link(actions, "val.list", 2)
	return s
}

func (s *scratch) link(actions, list string, each int) (lines []string) {
	b, err := os.ReadFile(filepath.Join(actions, list))
	if err != nil {
		s.t.Fatal(err)
	}
	n := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		name, label, _ := strings.Cut(line, " ")
		if n[label]++; n[label] > each || label > "3" {
			continue
		}
		path := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			s.t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(actions, name), path); err != nil {
			s.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// clip is the path of the clip of a line, from 1, of the list for training.
func (s *scratch) clip(line int) string {
	name, _, _ := strings.Cut(s.train[line-1], " ")
	return filepath.Join(s.dir, name)
}

func (s *scratch) read(path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// write replaces what is at path; never the real clip behind a link.
func (s *scratch) write(path string, b []byte) {
	os.Remove(path)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		s.t.Fatal(err)
	}
}

// remux copies the coded pictures into another container.
func (s *scratch) remux(from, to string) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		s.t.Skip("the ffmpeg tool, which remuxes a clip, is absent")
	}
	if out, err := exec.Command("ffmpeg", "-v", "error", "-i", from, "-c", "copy", to).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
}

func (s *scratch) options() check.Options {
	c, err := cache()
	if err != nil {
		s.t.Fatal(err)
	}
	o := check.Options{Names: classNames, Cache: c, Workers: 2, Dir: filepath.Join(s.dir, "check")}
	for _, l := range []struct {
		use   string
		lines []string
	}{{check.Train, s.train}, {check.Valid, s.val}} {
		path := filepath.Join(s.dir, l.use+".list")
		s.write(path, []byte(strings.Join(l.lines, "\n")+"\n"))
		o.Lists = append(o.Lists, check.List{Use: l.use, File: path, Prefix: s.dir, Segments: 8})
	}
	return o
}

// run checks and returns the findings above notes as "use:line kind", errors
// with a ! behind.
func (s *scratch) run(o check.Options) (found []string, sum *check.Summary) {
	s.t.Helper()
	o.Each = func(f check.Finding) {
		switch f.Level {
		case check.Error:
			found = append(found, fmt.Sprintf("%s:%d %s!", f.Use, f.Line, f.Kind))
		case check.Warning:
			found = append(found, fmt.Sprintf("%s:%d %s", f.Use, f.Line, f.Kind))
		}
	}
	sum, err := check.Run(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return found, sum
}

// Each fault is found in its line, and nothing else is. The clips of lines 1 to 5
// are of class 0, 6 to 10 of class 1 and so on.
func TestPlantedFaults(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(s *scratch)
		want []string
	}{
		{"none", func(*scratch) {}, nil},
		{"cut at 60 %", func(s *scratch) {
			b := s.read(s.clip(3))
			s.write(s.clip(3), b[:len(b)*6/10])
		}, []string{"train:3 truncated!"}},
		{"no bytes", func(s *scratch) { s.write(s.clip(7), nil) }, []string{"train:7 unreadable!"}},
		{"zeros in the middle", func(s *scratch) {
			b := s.read(s.clip(12))
			clear(b[len(b)*4/10 : len(b)*5/10])
			s.write(s.clip(12), b)
		}, []string{"train:12 damaged"}},
		{"all zeros", func(s *scratch) { s.write(s.clip(12), make([]byte, len(s.read(s.clip(12))))) }, []string{"train:12 unreadable!"}},
		{"swapped labels", func(s *scratch) {
			s.train[0], s.train[5] = strings.TrimSuffix(s.train[0], "0")+"1", strings.TrimSuffix(s.train[5], "1")+"0"
		}, []string{"train:1 label-mismatch", "train:6 label-mismatch"}},
		{"moved to the folder of another class", func(s *scratch) {
			if err := os.Rename(s.clip(2), filepath.Join(s.dir, "Diving", "new.avi")); err != nil {
				s.t.Fatal(err)
			}
			s.train[1] = "Diving/new.avi 0"
		}, []string{"train:2 label-mismatch"}},
		{"a copy of other name", func(s *scratch) {
			s.write(filepath.Join(s.dir, "Biking", "a copy.avi"), s.read(s.clip(6)))
			s.train = append(s.train, "Biking/a copy.avi 1")
		}, []string{"train:21 duplicate"}},
		{"a copy in another container", func(s *scratch) {
			s.remux(s.clip(6), filepath.Join(s.dir, "Biking", "v_Biking_x.mkv"))
			s.train = append(s.train, "Biking/v_Biking_x.mkv 1")
		}, []string{"train:21 duplicate"}},
		{"a copy across lists", func(s *scratch) {
			s.write(filepath.Join(s.dir, "Biking", "v_Biking_y.avi"), s.read(s.clip(6)))
			s.val = append(s.val, "Biking/v_Biking_y.avi 1")
		}, []string{"train:6 leak!"}},
		{"in both lists", func(s *scratch) { s.val = append(s.val, s.train[7]) }, []string{"train:8 leak!"}},
		{"twice", func(s *scratch) { s.train = append(s.train, "./"+s.train[7]) }, []string{"train:21 duplicate"}},
		{"twice, with two labels", func(s *scratch) {
			s.write(filepath.Join(s.dir, "Diving", "v_Diving_z.avi"), s.read(s.clip(6)))
			s.train = append(s.train, "Diving/v_Diving_z.avi 2")
		}, []string{"train:6 label-conflict!", "train:21 label-conflict!"}},
		{"missing", func(s *scratch) { os.Remove(s.clip(20)) }, []string{"train:20 missing!"}},
		{"a folder", func(s *scratch) { s.train[19] = "JumpRope 3" }, []string{"train:20 unreadable!"}},
		{"label out of range", func(s *scratch) { s.train = append(s.train, "v.avi 4") }, []string{"train:21 label-range!", "train:21 missing!"}},
		{"wrong lines", func(s *scratch) { s.train = append(s.train, "", "v.avi", "v.avi x") }, []string{"train:22 bad-line!", "train:23 bad-line!"}},
		{"one clip of a class", func(s *scratch) { s.train = s.train[:16] }, []string{"train:0 few-clips"}},
		{"no clip of a class", func(s *scratch) { s.val = s.val[:6] }, []string{"valid:0 absent-class"}},
		{"no clip", func(s *scratch) { s.val = nil }, []string{"valid:0 no-clips!"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newScratch(t)
			tc.make(s)
			found, sum := s.run(s.options())
			if !slices.Equal(found, tc.want) {
				t.Errorf("found %v, want %v", found, tc.want)
			}
			if stop := strings.Contains(strings.Join(tc.want, ""), "!"); sum.Start == stop {
				t.Errorf("start: %v; %s", sum.Start, sum.Verdict)
			}
		})
	}
}

// The notes on real clips are what the README of the data says of them.
func TestRealNotes(t *testing.T) {
	s := newScratch(t)
	o := s.options()
	var got []string
	o.Each = func(f check.Finding) {
		if f.Kind == check.FrameCountLie {
			got = append(got, filepath.Base(f.Name)+" "+f.Message)
		}
	}
	if _, err := check.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"v_Basketball_g13_c01.avi the header claims 300 frames, 299 decode",
		"v_Basketball_g13_c04.avi the header claims 300 frames, 293 decode",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What a clip holds is compared with the last check in the same folder.
func TestChangedSinceLastCheck(t *testing.T) {
	s := newScratch(t)
	if found, _ := s.run(s.options()); len(found) > 0 {
		t.Fatalf("at first %v", found)
	}
	a, b := s.read(s.clip(1)), s.read(s.clip(2))
	s.write(s.clip(1), b)
	s.write(s.clip(2), a)
	os.Remove(s.clip(9))
	s.remux(filepath.Join(testdata.Shared(t), "data", "actions", s.train[8][:len(s.train[8])-2]), s.clip(9))
	want := []string{"train:1 swapped", "train:2 swapped", "train:9 changed"}
	if found, _ := s.run(s.options()); !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if found, _ := s.run(s.options()); len(found) > 0 {
		t.Errorf("the next time %v", found)
	}
}

// A second check decodes nothing.
func TestSecondCheckDecodesNothing(t *testing.T) {
	s := newScratch(t)
	o := s.options()
	var err error
	if o.Cache, err = probe.OpenCache(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	o.Lists = o.Lists[1:]
	_, first := s.run(o)
	_, second := s.run(o)
	if first.Decoded != 8 || first.Remembered != 0 || second.Decoded != 0 || second.Remembered != 8 {
		t.Errorf("decoded %d, then %d; remembered %d, then %d", first.Decoded, second.Decoded, first.Remembered, second.Remembered)
	}
	first.Decoded, first.Remembered, first.Seconds, first.Began = second.Decoded, second.Remembered, second.Seconds, second.Began
	a, _ := json.Marshal(first)
	b, _ := json.Marshal(second)
	if string(a) != string(b) {
		t.Errorf("the first says %s, the second %s", a, b)
	}
}
