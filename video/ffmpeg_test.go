package video_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/video"
)

// ffmpeg returns the name of the tool, which tests compare with.
func ffmpeg(t testing.TB) string {
	t.Helper()
	name, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("no ffmpeg tool to compare with")
	}
	return name
}

// A want is what the ffmpeg tool makes of a file.
type want struct {
	size   string   // "320x240"
	frames []string // MD5 of each frame's RGB bytes
}

// decoded asks the ffmpeg tool for all frames of a file. It decodes with one
// thread, as what a decoder makes of damaged pictures depends on their number.
func decoded(t testing.TB, path string) want {
	t.Helper()
	cmd := exec.Command(ffmpeg(t), "-v", "quiet", "-nostdin", "-threads", "1", "-i", "file:"+path,
		"-an", "-sn", "-dn", "-fps_mode", "passthrough", "-c:v", "rawvideo", "-pix_fmt", "rgb24", "-f", "framemd5", "-")
	out, _ := cmd.Output() // it fails for files without a frame
	var w want
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if size, ok := strings.CutPrefix(line, "#dimensions 0: "); ok {
			w.size = size
		} else if k := strings.LastIndex(line, ", "); k >= 0 && line[0] != '#' {
			w.frames = append(w.frames, line[k+2:])
		}
	}
	return w
}

// made runs the ffmpeg tool with arguments split at spaces and returns the
// path of the file that it makes.
func made(t testing.TB, name, args string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.Command(ffmpeg(t), append(append([]string{"-v", "error", "-nostdin", "-y"}, strings.Fields(args)...), path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("ffmpeg cannot make %s: %v: %s", name, err, bytes.TrimSpace(out))
	}
	return path
}

func sum(p *frame.RGB) string {
	h := md5.Sum(p.Pix)
	return hex.EncodeToString(h[:])
}

func open(t testing.TB, path string) *video.File {
	t.Helper()
	f, err := video.Open(context.Background(), path, video.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// settle makes Len true for files that promise more than they hold, by asking
// for the last frame.
func settle(t testing.TB, f *video.File) {
	t.Helper()
	_, err := f.Frames(context.Background(), []int{f.Len() - 1})
	var wrong *video.LenError
	switch {
	case errors.As(err, &wrong):
		if wrong.Is != f.Len() || wrong.Was == wrong.Is {
			t.Fatalf("Len is %d after: %v", f.Len(), err)
		}
	case err != nil:
		t.Fatal(err)
	}
}

// compare decodes frames, as many at a time as fit into 128 MB, and compares
// them with the ffmpeg tool's.
func compare(t testing.TB, f *video.File, w want, indices []int, what string) {
	t.Helper()
	i := f.Info()
	for part := range slices.Chunk(indices, max(1, (128<<20)/(3*i.Width*i.Height))) {
		pictures, err := f.Frames(context.Background(), part)
		if err != nil {
			t.Fatalf("%s %v: %v", what, part, err)
		}
		for k, p := range pictures {
			if size(p) != w.size || sum(p) != w.frames[part[k]] {
				t.Fatalf("%s %v: frame %d of %d, %s, is not what ffmpeg decodes (%s)", what, indices, part[k], f.Len(), size(p), w.size)
			}
		}
	}
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// files lists the files of the given folders of the real data.
func files(t testing.TB, patterns ...string) []string {
	t.Helper()
	dir := testdata.Shared(t)
	var out []string
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if ext := filepath.Ext(path); ext != ".md" && ext != ".txt" && ext != ".list" {
				out = append(out, path)
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("no files %v in %s", patterns, dir)
	}
	return out
}

func size(p *frame.RGB) string { return fmt.Sprintf("%dx%d", p.W, p.H) }
