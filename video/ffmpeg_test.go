package video_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
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
	frames []uint64 // a hash of each frame's RGB bytes
}

var seed = maphash.MakeSeed()

func sum(rgb []byte) uint64 { return maphash.Bytes(seed, rgb) }

// decoded asks the ffmpeg tool for all frames of a file. It decodes with one
// thread, as what a decoder makes of damaged pictures depends on their number.
func decoded(t testing.TB, path string) want {
	t.Helper()
	cmd := exec.Command(ffmpeg(t), "-v", "quiet", "-nostdin", "-threads", "1", "-i", "file:"+path,
		"-an", "-sn", "-dn", "-fps_mode", "passthrough", "-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var out want
	var pix []byte
	for r := bufio.NewReaderSize(pipe, 1<<20); ; {
		var w, h int
		r.ReadString('\n') // "P6"
		line, _ := r.ReadString('\n')
		if _, err := fmt.Sscanf(line, "%d %d", &w, &h); err != nil {
			break // the end
		}
		r.ReadString('\n') // "255"
		pix = slices.Grow(pix[:0], 3*w*h)[:3*w*h]
		if _, err := io.ReadFull(r, pix); err != nil {
			t.Fatal(err)
		}
		out.size = fmt.Sprintf("%dx%d", w, h)
		out.frames = append(out.frames, sum(pix))
	}
	cmd.Wait() // it fails for files without a frame
	return out
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

func open(t testing.TB, path string) *video.File {
	t.Helper()
	f, err := video.Open(context.Background(), path, video.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// frames decodes some frames, once more if the file promised another number
// of frames than it holds.
func frames(t testing.TB, f *video.File, indices []int) []*frame.RGB {
	t.Helper()
	pictures, err := f.Frames(context.Background(), indices)
	var wrong *video.LenError
	if errors.As(err, &wrong) {
		if wrong.Is != f.Len() || wrong.Was == wrong.Is {
			t.Fatalf("Len is %d after: %v", f.Len(), err)
		}
		pictures, err = f.Frames(context.Background(), indices)
	}
	if err != nil {
		t.Fatalf("frames %v: %v", indices, err)
	}
	return pictures
}

// compare decodes frames, as many at a time as fit into 128 MB, and compares
// them with the ffmpeg tool's.
func compare(t testing.TB, f *video.File, w want, indices []int) {
	t.Helper()
	i := f.Info()
	for part := range slices.Chunk(indices, max(1, (128<<20)/(3*i.Width*i.Height))) {
		for k, p := range frames(t, f, part) {
			if size(p) != w.size || sum(p.Pix) != w.frames[part[k]] {
				t.Fatalf("of %v: frame %d of %d, %s, is not what ffmpeg decodes (%s)", indices, part[k], f.Len(), size(p), w.size)
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
