package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"a b/é 射箭.mp4\tx\n":  "a b/é 射箭.mp4\tx\n",
		"\x1b[2Jgone":        "\ufffd[2Jgone",
		"a\rb\x00\x7f\u009b": "a\ufffdb\ufffd\ufffd\ufffd",
		"\xff":               "\ufffd",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// Names out of files cannot steer the terminal.
func TestNamesFromFilesArePrintable(t *testing.T) {
	const escape = "\x1b[2J"
	dir := t.TempDir()
	weights := filepath.Join(dir, "w.pdparams")
	err := atomicfile.Write(weights, func(w io.Writer) error {
		return pdparams.Write(w, []tensor.Named{{Name: escape + "w", Tensor: tensor.New(tensor.Float32, 1)}}, pdparams.WriteOptions{})
	})
	if err != nil {
		t.Fatal(err)
	}
	list := writeFile(t, filepath.Join(dir, "train.list"), escape+"clip.mp4 0\n")
	for _, args := range [][]string{
		{"inspect", weights}, {"convert", weights, "-o", filepath.Join(dir, "out.pth")}, {"check", "--quick", "--output", filepath.Join(dir, "ck"), list},
		{"prepare", "compact", "--list", list, "-o", filepath.Join(dir, "c")},
	} {
		_, out, errOut := command(t, "", args...)
		if all := out + errOut; strings.Contains(all, escape) || !strings.Contains(all, "\ufffd[2J") {
			t.Errorf("%s prints %q", args[0], all)
		}
	}
}
