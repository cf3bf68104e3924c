package pptsn_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("the ffmpeg tool, which makes the test clips, is absent")
	}
	if out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-y"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
}

// makeClips draws clips that differ, among them one that is no video; a file in
// the list is absent.
func makeClips(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for i := range 7 {
		files = append(files, filepath.Join(dir, strconv.Itoa(i)+".mp4"))
		ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=s=96x72:r=25", "-vf", "hue=h="+strconv.Itoa(50*i), "-frames:v", strconv.Itoa(5+7*i), files[i])
	}
	text := filepath.Join(dir, "text.mp4")
	if err := os.WriteFile(text, []byte("no video"), 0o666); err != nil {
		t.Fatal(err)
	}
	return append(files[:3:3], append([]string{text, filepath.Join(dir, "absent.mp4")}, files[3:]...)...)
}

func each(files []string) func(func(string, error) bool) {
	return func(yield func(string, error) bool) {
		for _, file := range files {
			if !yield(file, nil) {
				return
			}
		}
	}
}

// Batches and workers change nothing: not the order, not what fails, not the
// scores by more than their last bits.
func TestConcurrentClassifyMany(t *testing.T) {
	files := makeClips(t)
	path, _, _ := smallModel(t)
	m, err := pptsn.Open(path, pptsn.Options{Batch: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, o := range []pptsn.Many{{}, {Batch: 1, Workers: 1}, {Batch: 3, Workers: 4}, {Batch: 8, Workers: 2}} {
		i := 0
		for got := range m.ClassifyMany(t.Context(), each(files), o) {
			want, err := m.Classify(t.Context(), files[i])
			if got.File != files[i] || (got.Err == nil) != (err == nil) || (got.Result == nil) != (want == nil) {
				t.Fatalf("%+v: outcome %d is %+v, want of %s: %v", o, i, got, files[i], err)
			}
			if want != nil {
				sameResult(t, got.Result, want)
			} else if got.Err.Error() != err.Error() {
				t.Errorf("%+v: error %v, want %v", o, got.Err, err)
			}
			i++
		}
		if i != len(files) {
			t.Errorf("%+v: %d outcomes of %d files", o, i, len(files))
		}
	}
}

func sameResult(t *testing.T, got, want *pptsn.Result) {
	t.Helper()
	if got.File != want.File || !reflect.DeepEqual(got.Frames, want.Frames) || len(got.Top) != len(want.Top) {
		t.Errorf("%+v, want %+v", got, want)
		return
	}
	for i, c := range got.Top {
		if w := want.Top[i]; c.Index != w.Index || c.Name != w.Name || c.Score < w.Score-1e-6 || c.Score > w.Score+1e-6 {
			t.Errorf("%s: class %d: %+v, want %+v", got.File, i, c, w)
		}
	}
}

// What cannot be named is an outcome, too.
func TestClassifyManyPassesErrorsOn(t *testing.T) {
	path, _, _ := smallModel(t)
	m, err := pptsn.Open(path, pptsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	broken := errors.New("broken list")
	var got []error
	for o := range m.ClassifyMany(t.Context(), func(yield func(string, error) bool) { _ = yield("a", fs.ErrNotExist) && yield("list", broken) }, pptsn.Many{Batch: 3}) {
		got = append(got, o.Err)
	}
	if len(got) != 2 || got[0] != fs.ErrNotExist || got[1] != broken {
		t.Errorf("outcomes %v", got)
	}
}

func TestCancelClassifyMany(t *testing.T) {
	files := makeClips(t)
	path, _, _ := smallModel(t)
	m, err := pptsn.Open(path, pptsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for o := range m.ClassifyMany(ctx, each(files), pptsn.Many{Batch: 2, Workers: 3}) {
		if errors.Is(o.Err, context.Canceled) {
			t.Errorf("outcome %+v", o)
		}
		n++
		cancel()
	}
	if n < 1 || n > 2 {
		t.Errorf("%d outcomes, want those of the batch in which it was cancelled", n)
	}
	for range m.ClassifyMany(t.Context(), each(files), pptsn.Many{}) {
		break
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

// tinyBundle is a model that costs next to nothing.
func tinyBundle(t *testing.T) *bundle.Bundle {
	t.Helper()
	g := graph.New("tiny")
	x := g.Input("x", graph.Unknown, 1, 3, 16, 16)
	x = g.Must("mean", graph.Mean{Axes: []int{1, 3, 4}}, x)
	g.Output(g.Must("scores", graph.Linear{}, x, g.Param("w", 3, 2)))
	spec := clip.Spec{Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: 1}, Steps: []clip.Step{
		{CenterCrop: &clip.CenterCrop{Size: 16}},
		{Normalize: &clip.Normalize{Std: [3]float32{1, 1, 1}}},
	}}
	w := graph.Weights{"w": tensor.FromFloat32([]float32{1, 0, 0, 1, 1, 1}, 3, 2)}
	return &bundle.Bundle{Path: "tiny", Graph: g, Weights: w, Manifest: &bundle.Manifest{Network: tsn.Spec{Classes: 2}, Preprocess: spec}}
}

// Ten thousand videos need no more memory than two thousand, of which a few are
// in work at a time.
func TestClassifyManyMemory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tiny.avi")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=s=16x16:r=25", "-frames:v", "1", "-c:v", "mjpeg", file)
	m, err := pptsn.New(tinyBundle(t), pptsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	const many = 10_000
	files := func(yield func(string, error) bool) {
		for i := range many {
			name := file
			if i%10 == 9 {
				name = "absent-" + strconv.Itoa(i)
			}
			if !yield(name, nil) {
				return
			}
		}
	}
	n, start := 0, 0
	for range m.ClassifyMany(t.Context(), files, pptsn.Many{Batch: 4}) {
		if n++; n == many/5 {
			start = resident(t)
		}
	}
	if grown := resident(t) - start; n != many || grown > 8<<20 {
		t.Errorf("%d outcomes; memory grew by %d bytes after the first 2000", n, grown)
	}
}

// resident is the memory of the process in bytes.
func resident(t *testing.T) int {
	t.Helper()
	runtime.GC()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("resident memory is read from /proc: ", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}
