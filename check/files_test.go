package check_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/check"
)

// The clean lists hold the lines that can be used, as they are; of copies the
// first; of leaks none in the list for training.
func TestCleanLists(t *testing.T) {
	s := newScratch(t)
	os.Remove(s.clip(2))
	s.write(s.clip(4), nil)
	s.train[2] = "  " + s.train[2] + "\t" // kept verbatim
	s.train = append(s.train, "nonsense", s.train[6], "Biking/x.avi 9")
	s.val = append(s.val, s.train[9])
	_, sum := s.run(s.options())
	want := slices.Concat(s.train[:1], s.train[2:3], s.train[4:9], s.train[10:20])
	got := strings.Split(strings.TrimSuffix(string(s.read(filepath.Join(s.dir, "check", "train.clean.list"))), "\n"), "\n")
	if !slices.Equal(got, want) {
		t.Errorf("clean list %q, want %q", got, want)
	}
	got = strings.Split(strings.TrimSuffix(string(s.read(filepath.Join(s.dir, "check", "valid.clean.list"))), "\n"), "\n")
	if !slices.Equal(got, s.val) {
		t.Errorf("clean list %q, want %q", got, s.val)
	}
	if l := sum.Lists[0]; l.Lines != 23 || l.Good != int64(len(want)) || l.Clean != filepath.Join(s.dir, "check", "train.clean.list") {
		t.Errorf("summary of the list: %d lines, %d good, %s", l.Lines, l.Good, l.Clean)
	}
	// A check of the clean lists finds nothing.
	s.train, s.val = want, got
	if found, _ := s.run(s.options()); len(found) > 0 {
		t.Errorf("in the clean lists: %v", found)
	}
}

// The files say the same as the findings, in their order.
func TestFiles(t *testing.T) {
	s := newScratch(t)
	os.Remove(s.clip(2))
	s.train = append(s.train, s.train[6], s.train[18])
	o := s.options()
	var want []check.Finding
	o.Each = func(f check.Finding) { want = append(want, f) }
	sum, err := check.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var got []check.Finding
	for line := range bytes.Lines(s.read(filepath.Join(o.Dir, "bad.jsonl"))) {
		var f check.Finding
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		got = append(got, f)
	}
	if len(got) < 3 || !slices.Equal(got, want) {
		t.Errorf("bad.jsonl: %v, want %v", got, want)
	}
	var read check.Summary
	if err := json.Unmarshal(s.read(filepath.Join(o.Dir, "summary.json")), &read); err != nil {
		t.Fatal(err)
	}
	if read.Errors != 1 || read.Warnings != 2 || read.Start || read.Errors != sum.Errors || len(read.Kinds) != len(sum.Kinds) {
		t.Errorf("summary.json: %+v", read)
	}
	if f := want[slices.IndexFunc(want, func(f check.Finding) bool { return f.Kind == check.Duplicate })]; f.Twin != o.Lists[0].File+":7" || f.Line != 21 || f.Label != 1 || f.Path != filepath.Join(s.dir, f.Name) {
		t.Errorf("duplicate: %+v", f)
	}
}

// Names come from strangers: the page must not run them.
func TestPageEscapes(t *testing.T) {
	s := newScratch(t)
	s.train = append(s.train, `<script>alert(1)</script>.avi 0`, `" onerror="x.avi 1`)
	name := filepath.Join(s.dir, "Biking", `<img src=x onerror=alert(2)>.avi`)
	s.write(name, s.read(s.clip(6)))
	s.train = append(s.train, `Biking/<img src=x onerror=alert(2)>.avi 1`)
	o := s.options()
	o.Names = []string{"<b>bold</b>", "Biking", "Diving", "JumpRope"}
	s.run(o)
	page := string(s.read(filepath.Join(o.Dir, "index.html")))
	for _, bad := range []string{"<script", "<img src=x", `" onerror=`, "<b>bold"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	for _, good := range []string{"training should not start: 2 errors", "&lt;script&gt;alert(1)", "data:image/jpeg;base64,", "&lt;b&gt;bold"} {
		if !strings.Contains(page, good) {
			t.Errorf("the page lacks %s", good)
		}
	}
	for _, address := range []string{"http:", "https:", "src=\"/", "href="} {
		if strings.Contains(page, address) {
			t.Errorf("the page needs another file: %s", address)
		}
	}
}

// An interrupted check leaves earlier results alone and says what it found.
func TestCancel(t *testing.T) {
	s := newScratch(t)
	os.Remove(s.clip(2))
	o := s.options()
	o.Cache, o.Workers = nil, 2
	if err := os.Mkdir(o.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s.write(filepath.Join(o.Dir, "summary.json"), []byte("earlier"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Progress = func(stage string, done, _ int64) {
		if stage == "decode" && done == 3 {
			cancel()
		}
	}
	if _, err := check.Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	files, _ := filepath.Glob(filepath.Join(o.Dir, "*"))
	want := []string{filepath.Join(o.Dir, "bad.jsonl.partial"), filepath.Join(o.Dir, "summary.json")}
	if !slices.Equal(files, want) || string(s.read(want[1])) != "earlier" {
		t.Errorf("files %v, want %v", files, want)
	}
	var f check.Finding
	if err := json.NewDecoder(bufio.NewReader(bytes.NewReader(s.read(want[0])))).Decode(&f); err != nil || f.Kind != check.Missing || f.Line != 2 || f.List != o.Lists[0].File || f.Path != s.clip(2) {
		t.Errorf("%+v, %v", f, err)
	}
	// The next check that ends takes its place.
	o.Progress, o.Quick = nil, true
	s.run(o)
	if _, err := os.Stat(want[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("bad.jsonl.partial is still there: %v", err)
	}
}

// What is allowed is no error, and with Strict a warning is one.
func TestVerdict(t *testing.T) {
	for _, tc := range []struct {
		name   string
		allow  []check.Kind
		strict bool
		start  bool
	}{
		{"an error", nil, false, false},
		{"another is allowed", []check.Kind{check.Leak}, false, false},
		{"allowed", []check.Kind{check.Missing}, false, true},
		{"allowed, strict", []check.Kind{check.Missing}, true, false},
	} {
		s := newScratch(t)
		os.Remove(s.clip(2))
		o := s.options()
		o.Quick, o.Allow, o.Strict = true, tc.allow, tc.strict
		if _, sum := s.run(o); sum.Start != tc.start {
			t.Errorf("%s: start %v: %s", tc.name, sum.Start, sum.Verdict)
		}
	}
	s := newScratch(t)
	o := s.options()
	o.Allow = []check.Kind{"mising"}
	if _, err := check.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "mising") || !strings.Contains(err.Error(), "missing, missing-frames") {
		t.Errorf("an unknown kind: %v", err)
	}
}
