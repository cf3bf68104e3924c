package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteReplacesWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.bin")
	for _, text := range []string{"first, longer", "second"} {
		err := Write(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("read %q, want %q", got, text)
		}
	}
}

func TestFailedWriteKeepsOldFileAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.bin")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("disk full")
	err := Write(path, func(w io.Writer) error { io.WriteString(w, "half"); return boom })
	if !errors.Is(err, boom) {
		t.Errorf("error %v, want %v", err, boom)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("file holds %q, want the old bytes", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files left, want 1", len(entries))
	}
}

func TestPreparedFileWaitsForCommit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.bin")
	text := func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }
	dropped, err := Prepare(path, text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("before Commit: %v, want no file", err)
	}
	dropped.Discard()
	kept, err := Prepare(path, text)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Commit(); err != nil {
		t.Fatal(err)
	}
	kept.Discard()
	if got, _ := os.ReadFile(path); string(got) != "new" {
		t.Errorf("file holds %q, want the new bytes", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files left, want 1", len(entries))
	}
}

func TestNamedFileIsWrittenByName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "clip.mp4")
	dropped, err := Named(path)
	if err != nil {
		t.Fatal(err)
	}
	dropped.Discard()
	p, err := Named(path)
	if err != nil {
		t.Fatal(err)
	}
	if of, ok := Leftover(filepath.Base(p.Name())); of != "clip.mp4" || !ok {
		t.Errorf("%s is not known as a leftover of clip.mp4", p.Name())
	}
	if err := os.WriteFile(p.Name(), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Sync(), p.Commit()); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "new" {
		t.Errorf("file holds %q, want the new bytes", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files left, want 1", len(entries))
	}
}

func TestFailedCommitLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	p, err := Prepare(path, func(w io.Writer) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil { // a folder, so that the rename fails
		t.Fatal(err)
	}
	if err := p.Commit(); err == nil {
		t.Error("a file took the place of a folder")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d entries left, want the folder alone", len(entries))
	}
}

func TestLeftover(t *testing.T) {
	dir := t.TempDir()
	p, err := Prepare(filepath.Join(dir, "a_best.pdparams"), func(io.Writer) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	real := filepath.Base(p.temporary)
	for _, tc := range []struct {
		name, of string
		ok       bool
	}{
		{real, "a_best.pdparams", true},
		{".x.123.tmp", "x", true},
		{"x.123.tmp", "", false},
		{".x.12a.tmp", "", false},
		{".x..tmp", "", false},
		{".123.tmp", "", false},
		{".tmp", "", false},
		{"", "", false},
	} {
		if of, ok := Leftover(tc.name); of != tc.of || ok != tc.ok {
			t.Errorf("Leftover(%q) = %q, %v; want %q, %v", tc.name, of, ok, tc.of, tc.ok)
		}
	}
}
