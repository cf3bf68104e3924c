package main

import (
	"strings"
	"testing"
)

// Whatever a list holds, each line that is not blank names one file, and
// nothing is made up.
func FuzzReadList(f *testing.F) {
	for _, seed := range []string{"", "a b.mp4 3\nc.mkv\n", "\ufeffclip.mp4,0\r\n\r\n", "\x00 1\n -1", strings.Repeat("x", 5000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir, n := t.TempDir(), 0
		readList(strings.NewReader(text), dir, "list", resolve, func(path string, err error) bool {
			n++
			if err == nil && (path == "" || !strings.Contains(text, path)) {
				t.Errorf("path %q is not in the list %q", path, text)
			}
			return n < 1000
		})
		if lines := strings.Count(text, "\n") + 1; n > lines {
			t.Errorf("%d files in %d lines", n, lines)
		}
	})
}
