package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/check"
)

// A list that nobody can train from is said to be empty, not to lack good clips;
// what is no list is not read.
func TestOddLists(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "my list é.txt")
	if err := os.WriteFile(list, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := check.Run(t.Context(), check.Options{Lists: []check.List{{File: list}}})
	if err != nil || len(s.Kinds) != 1 || !strings.Contains(s.Kinds[0].First[0].Message, "the list is empty") {
		t.Errorf("%+v, %v, want an empty list", s, err)
	}
	for file, want := range map[string]string{dir: ": a folder, not a list", "/dev/null": "not a regular file", filepath.Join(dir, "none"): "no such file"} {
		if _, err := check.Run(t.Context(), check.Options{Lists: []check.List{{File: file}}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", file, err, want)
		}
	}
}
