package dataset_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pptsn/pptsn/dataset"
)

// scanned is what Scan yields, one line of text each.
func scanned(r io.Reader, frames bool) (out []string) {
	for l, err := range dataset.Scan(r, "LIST", frames) {
		if err != nil {
			out = append(out, fmt.Sprintf("%d %.20q %s", l.N, l.Text, err))
			continue
		}
		out = append(out, fmt.Sprintf("%d %q %d %d", l.N, l.Name, l.Frames, l.Label))
	}
	return out
}

func TestScan(t *testing.T) {
	long := strings.Repeat("x", 64<<10)
	for _, tc := range []struct {
		name, text string
		frames     bool
		want       []string
	}{
		{name: "empty"},
		{name: "ends of lines", text: "a 0\rb 1\r\nc 2\n\n\rd 3", want: []string{`1 "a" 0 0`, `2 "b" 0 1`, `3 "c" 0 2`, `6 "d" 0 3`}},
		{name: "BOM", text: "\ufeffa 0\r\n", want: []string{`1 "a" 0 0`}},
		{name: "BOM alone", text: "\ufeff"},
		{name: "one byte", text: "a", want: []string{`1 "a" LIST:1: want "path label", have "a"`}},
		{name: "folders", text: "a b 150 3\n", frames: true, want: []string{`1 "a b" 150 3`}},
		{name: "goes on", text: "a 0\nb\nc x\nd 1\n", want: []string{`1 "a" 0 0`, `2 "b" LIST:2: want "path label", have "b"`, `3 "c x" LIST:3: label "x" is not an inte`, `4 "d" 0 1`}},
		{name: "too long", text: "a 0\n" + long + " 1\nb 2\n", want: []string{`1 "a" 0 0`, `2 "xxxxxxxxxxxxxxxxxxxx" LIST:2: more than 65536 bytes in a line: "x`, `3 "b" 0 2`}},
		{name: "much too long, at the end", text: "a 0\n" + strings.Repeat(long, 5), want: []string{`1 "a" 0 0`, `2 "xxxxxxxxxxxxxxxxxxxx" LIST:2: more than 65536 bytes in a line: "x`}},
		{name: "just short enough", text: long[:64<<10-2] + " 1\r\nb 2\n", want: []string{`1 "` + long[:64<<10-2] + `" 0 1`, `2 "b" 0 2`}},
		{name: "UTF-16", text: "\xff\xfea\x00 \x000\x00", want: []string{`0 "" LIST: the list is in UTF-16: save it as UTF-8`}},
	} {
		for _, r := range []io.Reader{strings.NewReader(tc.text), iotest.OneByteReader(strings.NewReader(tc.text)), iotest.DataErrReader(strings.NewReader(tc.text))} {
			if got := scanned(r, tc.frames); !slices.EqualFunc(got, tc.want, strings.HasPrefix) {
				t.Errorf("%s (%T): %.200q, want %.200q", tc.name, r, got, tc.want)
			}
		}
	}
}

func TestScanReadError(t *testing.T) {
	boom := errors.New("boom")
	r := io.MultiReader(strings.NewReader("a 0\nb 1"), iotest.ErrReader(boom))
	var last error
	n := 0
	for _, err := range dataset.Scan(r, "LIST", false) {
		n, last = n+1, err
	}
	if n != 2 || !errors.Is(last, boom) || !strings.HasPrefix(last.Error(), "LIST: ") {
		t.Errorf("%d lines, then %v; want the line, then LIST: boom", n, last)
	}
	var le *dataset.LineError
	if errors.As(last, &le) {
		t.Error("a read error looks like a wrong line")
	}
}

// A list of a million lines takes no more memory than its buffer.
func TestScanMemory(t *testing.T) {
	r := io.LimitReader(endless("some class/a clip of it.mp4 7\n"), 30<<20)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n, peak := 0, uint64(0)
	for _, err := range dataset.Scan(r, "LIST", false) {
		if err != nil && n < 1<<20 {
			t.Fatal(err)
		}
		if n++; n%200_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			peak = max(peak, after.HeapAlloc)
		}
	}
	if n < 1<<20 {
		t.Errorf("%d lines, want a million", n)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("%d bytes more than before", grown)
	}
}

// endless repeats its text.
type endless string

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e) <= len(p) {
		n += copy(p[n:], e)
	}
	if n == 0 {
		return copy(p, e), nil
	}
	return n, nil
}

func TestFormatLine(t *testing.T) {
	for _, tc := range []struct {
		name          string
		frames, label int
		want          string // or what an error says
	}{
		{"a.avi", 0, 3, "a.avi 3"},
		{"-v 1,2 \"x\".avi", 0, 0, "-v 1,2 \"x\".avi 0"},
		{"a,b", 0, 7, "a,b 7"},
		{"clip 1", 150, 3, "clip 1 150 3"},
		{"", 0, 3, "empty"},
		{"a\nb", 0, 3, "line break"},
		{"a\rb", 0, 3, "line break"},
		{"a\x00", 0, 3, "zero byte"},
		{"a ", 0, 3, "space"},
		{"\u3000a", 0, 3, "space"},
		{"\ufeffa", 0, 3, "encoding"},
		{"\xff\xfea", 0, 3, "encoding"},
		{strings.Repeat("x", 64<<10), 0, 3, "65536 bytes"},
		{"a", 0, -1, "label -1"},
		{"a", -1, 1, "-1 frames"},
		{"a", 0, 1 << 31, "label 2147483648"},
	} {
		got, err := dataset.FormatLine(tc.name, tc.frames, tc.label)
		if err != nil {
			got = err.Error()
		}
		if (err == nil) != (got == tc.want) || !strings.Contains(got, tc.want) {
			t.Errorf("%.20q: %.200q, %v; want %q", tc.name, got, err, tc.want)
		}
	}
}

// What FormatLine writes, Scan and Open read back.
func FuzzFormatLine(f *testing.F) {
	f.Add("a.avi", 0, 3)
	f.Add("my clip 7", 150, 0)
	f.Add("a,b", 0, 1)
	f.Add("\xc9\xe4 射箭\u00a0.mp4", 0, 400)
	f.Add("\ufeffa", 1, 1)
	f.Fuzz(func(t *testing.T, name string, frames, label int) {
		line, err := dataset.FormatLine(name, frames, label)
		if err != nil {
			return
		}
		text := line + "\n" + line + "\r\n"
		n := 0
		for l, err := range dataset.Scan(strings.NewReader(text), "LIST", frames > 0) {
			n++
			if err != nil || l.Name != name || l.Frames != frames || l.Label != label || l.N != n || l.Text != line {
				t.Errorf("%q is read as %+v, %v", line, l, err)
			}
		}
		o := dataset.Options{List: "LIST", Frames: frames > 0, Spec: spec}
		set, err := dataset.Parse(o, text)
		if err != nil || set.Len() != 2 || n != 2 {
			t.Fatalf("%q: Open: %v; %d lines scanned", line, err, n)
		}
		if s := set.Sample(1); s.Name != name || s.Frames != frames || s.Label != label {
			t.Errorf("%q is opened as %+v", line, s)
		}
	})
}

// Open and Scan agree on any text: the same lines, the same errors.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{"", "a 0\rb 1\r\n\nc\n", "\ufeffa 1", "\ufeff\xff\xfea", "\xff\xfea 1", "a,1\nb 2,3\n", "a 5 1\n", "\u0085a 1\u0085", "a 0\r"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, frames bool) {
		path := filepath.Join(t.TempDir(), "l")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		o := options(t, true, "")
		o.List, o.Frames = path, frames
		set, openErr := dataset.Open(o)
		var good []dataset.Line
		var bad error
		for l, err := range dataset.Scan(iotest.HalfReader(strings.NewReader(text)), path, frames) {
			if err != nil && bad == nil {
				bad = err
			}
			if err == nil {
				good = append(good, l)
			}
		}
		if bad != nil || len(good) == 0 {
			want := "the list is empty"
			if bad != nil {
				want = bad.Error()
			}
			if openErr == nil || !strings.Contains(openErr.Error(), want) {
				t.Fatalf("Scan: %v; Open: %v", bad, openErr)
			}
			return
		}
		if openErr != nil || set.Len() != len(good) {
			t.Fatalf("Scan reads %d lines, Open: %v", len(good), openErr)
		}
		for i, l := range good {
			if s := set.Sample(i); s.Name != l.Name || s.Frames != l.Frames || s.Label != l.Label || s.Line != l.N || s.Path != o.Path(l.Name) {
				t.Errorf("Scan: %+v, Open: %+v", l, s)
			}
		}
	})
}
