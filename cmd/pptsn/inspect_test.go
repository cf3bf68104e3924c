package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// What is called a checkpoint is looked at as one, whatever is in it.
func TestInspectRefuses(t *testing.T) {
	for _, tc := range []struct{ name, content, want string }{
		{"a.pth", "", "no checkpoint (.pdparams, .pth or .safetensors): offset 0: the file is empty"},
		{"a b.pt", "hello", "no checkpoint (.pdparams, .pth or .safetensors): offset 0: text"},
		{"é.safetensors", "\x05\x00\x00", "no checkpoint (.pdparams, .pth or .safetensors)"},
		{"a.pdparams", "", "pdparams: offset 0: the file is empty"},
		{"a.mp4", "", "the file is empty"},
	} {
		path := writeFile(t, filepath.Join(t.TempDir(), tc.name), tc.content)
		code, out, errOut := command(t, "", "inspect", path)
		if code != exitFailed || out != "" || !strings.Contains(errOut, tc.want) || !strings.Contains(errOut, path) {
			t.Errorf("%s: exit %d, %s%swant %q", tc.name, code, out, errOut, tc.want)
		}
	}
}
