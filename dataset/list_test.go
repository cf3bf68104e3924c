package dataset_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
)

func TestLines(t *testing.T) {
	type s = dataset.Sample
	for _, tc := range []struct {
		name, text, prefix, suffix string
		frames                     bool
		want                       []dataset.Sample
	}{
		{name: "plain", text: "a.avi 0\nb/c.mp4 12\n", want: []s{{Path: "a.avi", Name: "a.avi", Line: 1}, {Path: "b/c.mp4", Name: "b/c.mp4", Label: 12, Line: 2}}},
		{name: "no end of line", text: "a.avi 3", want: []s{{Path: "a.avi", Name: "a.avi", Label: 3, Line: 1}}},
		{name: "spaces", text: "my  clip 2.avi   7 \n", prefix: "/data", want: []s{{Path: "/data/my  clip 2.avi", Name: "my  clip 2.avi", Label: 7, Line: 1}}},
		{name: "tabs", text: "my clip.avi\t7\n", want: []s{{Path: "my clip.avi", Name: "my clip.avi", Label: 7, Line: 1}}},
		{name: "other scripts", text: "射箭 лук.mp4 1\n射箭.mp4\u30002\n", want: []s{
			{Path: "射箭 лук.mp4", Name: "射箭 лук.mp4", Label: 1, Line: 1}, {Path: "射箭.mp4", Name: "射箭.mp4", Label: 2, Line: 2}}},
		{name: "not UTF-8", text: "\xc9\xe4\xbc\xfd.avi 1\n", want: []s{{Path: "\xc9\xe4\xbc\xfd.avi", Name: "\xc9\xe4\xbc\xfd.avi", Label: 1, Line: 1}}},
		{name: "dash", text: "-v.avi 1\n", want: []s{{Path: "-v.avi", Name: "-v.avi", Label: 1, Line: 1}}},
		{name: "Windows", text: "\ufeffa.avi 0\r\n\r\nb.avi 1\r\n", want: []s{{Path: "a.avi", Name: "a.avi", Line: 1}, {Path: "b.avi", Name: "b.avi", Label: 1, Line: 3}}},
		{name: "old Mac", text: "a.avi 0\rb.avi 1\r", want: []s{{Path: "a.avi", Name: "a.avi", Line: 1}, {Path: "b.avi", Name: "b.avi", Label: 1, Line: 2}}},
		{name: "blank lines", text: "\n \t\na.avi 0\n\n", want: []s{{Path: "a.avi", Name: "a.avi", Line: 3}}},
		{name: "commas", text: "a.avi,4\nb,c.avi 5\n", want: []s{{Path: "a.avi", Name: "a.avi", Label: 4, Line: 1}, {Path: "b,c.avi", Name: "b,c.avi", Label: 5, Line: 2}}},
		{name: "suffix", text: "v_g01_c01 1\n", prefix: "data/", suffix: ".avi", want: []s{{Path: "data/v_g01_c01.avi", Name: "v_g01_c01", Label: 1, Line: 1}}},
		{name: "absolute", text: "/x/../a.avi 1\n", prefix: "data", want: []s{{Path: "/x/../a.avi", Name: "/x/../a.avi", Label: 1, Line: 1}}},
		{name: "upwards", text: "../a.avi 1\n", prefix: "data", want: []s{{Path: "data/../a.avi", Name: "../a.avi", Label: 1, Line: 1}}},
		{name: "folders", frames: true, text: "my clip 150 3\nb,20,4\n", prefix: "p", suffix: "img_{:05}.jpg", want: []s{
			{Path: "p/my clip", Name: "my clip", Frames: 150, Label: 3, Line: 1}, {Path: "p/b", Name: "b", Frames: 20, Label: 4, Line: 2}}},
	} {
		o := options(t, tc.frames, tc.text)
		o.Prefix, o.Suffix = tc.prefix, tc.suffix
		set, err := dataset.Open(o)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		var got []dataset.Sample
		for i := range set.Len() {
			got = append(got, set.Sample(i))
		}
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tc.want) {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestListErrors(t *testing.T) {
	for _, tc := range []struct {
		text    string
		frames  bool
		classes int
		want    []string
	}{
		{text: "", want: []string{"LIST: the list is empty"}},
		{text: " \n\n", want: []string{"LIST: the list is empty"}},
		{text: "a.avi\n", want: []string{`LIST:1: want "path label", have "a.avi"`}},
		{text: "\na.avi x\n", want: []string{`LIST:2: label "x" is not an integer from 0 to 2147483647: want "path label", have "a.avi x"`}},
		{text: "a.avi -1\n", want: []string{`LIST:1: label "-1"`}},
		{text: "a.avi 3.0\n", want: []string{`LIST:1: label "3.0"`}},
		{text: "a.avi 99999999999\n", want: []string{`LIST:1: label "99999999999"`}},
		{text: "a,b,3\n", want: []string{`LIST:1: want "path label"`}}, // the path may be "a", or "a,b"
		{text: "my clip,3\n", want: []string{`LIST:1: label "clip,3"`}},
		{text: ",3\n", want: []string{`LIST:1: want "path label"`}},
		{text: "7\n", want: []string{`LIST:1: want "path label", have "7"`}},
		{text: "a\x00b 3\n", want: []string{`LIST:1: a zero byte in the path: "a\x00b 3"`}},
		{text: "\xff\xfea\x00", want: []string{"LIST: the list is in UTF-16"}},
		{text: strings.Repeat("x", 1000), want: []string{`LIST:1: want "path label", have "` + strings.Repeat("x", 80) + `"...`}},
		{text: "a 3\n", frames: true, want: []string{`LIST:1: want "dir frames label", have "a 3"`}},
		{text: "a b 3\n", frames: true, want: []string{`LIST:1: number of frames "b" is not an integer from 1`}},
		{text: "a 0 3\n", frames: true, want: []string{`LIST:1: number of frames "0"`}},
		{text: "a 1\nb\nc 2\nd x\n", want: []string{"LIST:2: ", "LIST:4: "}}, // all at once
		{text: strings.Repeat("a\n", 25), want: []string{"LIST:1: ", "LIST:10: ", "LIST: and 15 more lines"}},
		{text: "a 0\nb 101\nc 140\n", classes: 101, want: []string{
			"LIST:2: label 101 is not below num_classes, which is 101", "LIST:3: label 140",
			"LIST: the largest label is 140: set MODEL.models.1.Student.head.num_classes to at least 141"}},
		{text: "a 1\nb 2\n", classes: 2, want: []string{"LIST:2: label 2", "no line has label 0, where labels begin: subtract 1"}},
	} {
		o := options(t, tc.frames, tc.text)
		o.Classes, o.ClassesKey = tc.classes, "MODEL.models.1.Student.head.num_classes"
		_, err := dataset.Open(o)
		if err == nil {
			t.Errorf("%.40q: no error, want %q", tc.text, tc.want)
			continue
		}
		got := strings.ReplaceAll(err.Error(), o.List, "LIST")
		for _, want := range tc.want {
			if !strings.Contains("\n"+got, want) {
				t.Errorf("%.40q: error %q, want %q in it", tc.text, got, want)
			}
		}
	}
}

func TestOpenErrors(t *testing.T) {
	good := options(t, false, "a 0\n")
	folder, missing, spec, pattern := good, good, good, options(t, true, "a 1 0\n")
	folder.List = t.TempDir()
	missing.List = filepath.Join(t.TempDir(), "train.list")
	spec.Spec = clip.Spec{}
	pattern.Pattern = clip.Pattern{}
	for want, o := range map[string]dataset.Options{
		"a folder, not a list":      folder,
		"no such file":              missing,
		"clip: ":                    spec,
		"Frames without a Pattern:": pattern,
	} {
		if _, err := dataset.Open(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	var line *dataset.LineError
	if _, err := dataset.Open(options(t, false, "a 0\nb\n")); !errors.As(err, &line) || line.Line != 2 {
		t.Errorf("error %v, want a LineError of line 2", err)
	}
}

// A million lines take about a second and little more than their bytes.
func TestMillionLines(t *testing.T) {
	o := options(t, false, "")
	f, err := os.Create(o.List)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	const n = 1_000_000
	for i := range n {
		fmt.Fprintf(w, "class_%03d/video_number_%07d.mp4 %d\n", i%400, i, i%400)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(o.List)
	if err != nil {
		t.Fatal(err)
	}
	before := heap()
	begin := time.Now()
	set, err := dataset.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	if took > 5*time.Second { // the machine may be busy
		t.Errorf("reading %d lines took %v", n, took)
	}
	if more := heap() - before; more > info.Size()+64*n {
		t.Errorf("a list of %d bytes and %d lines takes %d bytes of memory", info.Size(), n, more)
	}
	if set.Len() != n || set.Sample(n-1).Label != (n-1)%400 {
		t.Errorf("%d clips, the last %+v", set.Len(), set.Sample(n-1))
	}
	t.Logf("%d lines in %v", n, took)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Whatever is in a list, each line that is not blank is a clip or an error, and
// what was read reads the same when written plainly.
func FuzzList(f *testing.F) {
	f.Add("a.avi 0\nb/c d.mp4 12\n", false)
	f.Add("a.avi,4\r\n\r\nb,c.avi 5\rd 6", false)
	f.Add("my clip 150 3\nb,20,4\n", true)
	f.Add("a b 3\n\x00 0 1\n", true)
	f.Fuzz(func(t *testing.T, text string, frames bool) {
		o := dataset.Options{List: "train.list", Frames: frames}
		set, err := dataset.Parse(o, text)
		if err != nil {
			return
		}
		if set.Len() == 0 {
			t.Fatal("an empty list is an error")
		}
		var b strings.Builder
		for i := range set.Len() {
			s := set.Sample(i)
			if s.Label < 0 || s.Name == "" || strings.ContainsAny(s.Name, "\r\n\x00") || (s.Frames > 0) != frames {
				t.Fatalf("sample %+v", s)
			}
			if frames {
				fmt.Fprintf(&b, "%s %d %d\n", s.Name, s.Frames, s.Label)
			} else {
				fmt.Fprintf(&b, "%s %d\n", s.Name, s.Label)
			}
		}
		again, err := dataset.Parse(o, b.String())
		if err != nil {
			t.Fatal(err)
		}
		for i := range set.Len() {
			a, b := set.Sample(i), again.Sample(i)
			if a.Line = b.Line; a != b {
				t.Fatalf("%+v became %+v", a, b)
			}
		}
	})
}
