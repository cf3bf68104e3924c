package probe_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/probe"
)

// files lists files of the shared data.
func files(t *testing.T, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(testdata.Shared(t), "data", p))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				all = append(all, path)
			}
		}
	}
	if len(all) == 0 {
		t.Fatalf("no files %q", patterns)
	}
	return all
}

// clone makes a copy that may be changed.
func clone(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(to, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}

// change puts a byte at an offset of a file that keeps its size and its time.
func change(t *testing.T, path string, at int64) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0]++
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
}

func cache(t *testing.T) *probe.Cache {
	t.Helper()
	c, err := probe.OpenCache(filepath.Join(t.TempDir(), "videos"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func facts(t *testing.T, c *probe.Cache, path string) (probe.Facts, bool) {
	t.Helper()
	f, known, err := c.Facts(context.Background(), path, probe.Options{Thumb: probe.MaxThumb})
	if err != nil {
		t.Fatal(err)
	}
	return f, known
}
