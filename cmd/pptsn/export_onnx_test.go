package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

func needORT(t *testing.T) {
	t.Helper()
	if _, err := ort.Load(""); errors.As(err, new(*ort.NotFoundError)) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
}

func TestExportONNX(t *testing.T) {
	needORT(t)
	f := makeFixture(t)
	dir := t.TempDir()
	labels := writeFile(t, filepath.Join(dir, "labels.txt"), "a\nb\nc\nd\ne\nf\ng \"7\"\n")
	code, stdout, stderr := command(t, "", "export", "-c", f.config, "-p", f.weights, "-o", dir, "--labels", labels, "--onnx")
	if code != 0 {
		t.Fatal(stderr)
	}
	file := filepath.Join(dir, "ppTSN.onnx")
	if !strings.Contains(stdout, file+"\n") || !strings.Contains(stdout, "ONNX Runtime's scores and the model's:") {
		t.Errorf("printed %q", stdout)
	}
	for key, want := range map[string]string{"model_name": "ppTSN", "scores": "logits", "labels": `["a","b","c","d","e","f","g \"7\""]`} {
		if got := metadata(t, file)[key]; got != want {
			t.Errorf("metadata %s is %q, want %q", key, got, want)
		}
	}
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	preprocess, err := json.Marshal(b.Manifest.Preprocess)
	if got := metadata(t, file)["preprocess"]; err != nil || got != string(preprocess) {
		t.Errorf("preprocess is %s, want %s (%v)", got, preprocess, err)
	}
	sameScores(t, file, b.Graph, b.Weights, 1e-4)
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

func metadata(t *testing.T, file string) map[string]string {
	t.Helper()
	pairs, err := ort.Metadata(file)
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}

// sameScores compares the file's scores with oneDNN's, and those of one clip
// with those of two.
func sameScores(t *testing.T, file string, g *graph.Graph, w graph.Weights, tol float64) {
	t.Helper()
	e, err := ort.Open(file, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	reference, err := onednn.Compile(g, w, onednn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reference.Close()
	two := noise(append([]int{2}, g.Inputs[0].Shape[1:]...))
	one := tensor.FromFloat32(two.Float32s()[:two.Len()/2], append([]int{1}, two.Shape[1:]...)...)
	want, err := reference.Run(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []*tensor.Dense{one, two} {
		got, err := e.Run(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if len(got[0].Float32s()) != in.Shape[0]*want[0].Len() {
			t.Fatalf("%d clips: %s", in.Shape[0], got[0])
		}
		first := tensor.FromFloat32(got[0].Float32s()[:want[0].Len()], want[0].Shape...)
		if err := graphtest.Compare(first, want[0], tol); err != nil {
			t.Errorf("%d clips: %v", in.Shape[0], err)
		}
	}
}

// A quantised model becomes a file that means what graph.Quantize does, in the
// form of either reader; no other file is written.
func TestExportModelONNX(t *testing.T) {
	needORT(t)
	f := makeFixture(t)
	plain, err := bundle.Open(f.model)
	if err != nil {
		t.Fatal(err)
	}
	g, w, err := graph.Optimize(plain.Graph, plain.Weights)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := g.Bind(append([]int{1}, g.Inputs[0].Shape[1:]...))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := graph.SplitRows(bound)
	scales, err := graphtest.Scales(body, w, noise(append([]int{2}, body.Inputs[0].Shape[1:]...)))
	if err != nil {
		t.Fatal(err)
	}
	m := *plain.Manifest
	m.Scales = scales
	int8 := filepath.Join(t.TempDir(), "int8")
	if err := plain.Copy(int8, m); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		reader string
		scales graph.Scales
		o      graph.QuantizeOptions
	}{
		{"onnxruntime", scales, graph.QuantizeOptions{}},
		{"tensorrt", scales.AllSigned(), graph.QuantizeOptions{FloatBias: true}},
	} {
		dir := filepath.Join(t.TempDir(), "new", "folder")
		code, stdout, stderr := command(t, "", "export", "-m", int8, "--onnx", "--onnx_for", tc.reader, "-o", dir, "--save_name", "mine")
		if code != 0 {
			t.Fatal(stderr)
		}
		file := filepath.Join(dir, "mine.onnx")
		if !strings.HasPrefix(stdout, file+"\n") {
			t.Errorf("printed %q", stdout)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("written: %v", entries)
		}
		q, err := graph.Quantize(g, w, tc.scales, tc.o)
		if err != nil {
			t.Fatal(err)
		}
		sameScores(t, file, q, w, 0.05) // roundings of 23 layers, and of the sums' addends
		if info, err := os.Stat(file); err != nil || info.Size() > int64(plain.Graph.ParamCount())*3/2 {
			t.Errorf("%s takes %d bytes for %d weights, %v", file, info.Size(), plain.Graph.ParamCount(), err)
		}
	}
	// Without -o the file goes beside the others.
	if code, _, stderr := command(t, "", "export", "-m", int8, "--onnx"); code != 0 {
		t.Fatal(stderr)
	}
	if _, err := os.Stat(int8 + ".onnx"); err != nil {
		t.Error(err)
	}
}

// A file that fails its check gets no name, and one that is there stays. Scores
// that are not numbers agree with nothing.
func TestExportONNXFailedCheck(t *testing.T) {
	needORT(t)
	f := makeFixture(t)
	b, err := bundle.Open(f.model)
	if err != nil {
		t.Fatal(err)
	}
	net, err := tsn.Build(b.Manifest.Network, b.Manifest.Preprocess.Views(), 48, 48)
	if err != nil {
		t.Fatal(err)
	}
	w, err := loadWeights(net, f.weights, "")
	if err != nil {
		t.Fatal(err)
	}
	w["head.fc.bias"].Float32s()[0] = float32(math.NaN())
	dir, out := t.TempDir(), t.TempDir()
	if err := bundle.Write(filepath.Join(dir, "ppTSN"), *b.Manifest, net, w); err != nil {
		t.Fatal(err)
	}
	old := writeFile(t, filepath.Join(out, "old.onnx"), "an older one")
	for _, name := range []string{"old", "new"} {
		code, stdout, stderr := command(t, "", "export", "-m", dir, "--onnx", "-o", out, "--save_name", name)
		if code != 1 || stdout != "" || !strings.Contains(stderr, filepath.Join(out, name+".onnx")+": not written") {
			t.Errorf("%s: exit code %d, %q, %s", name, code, stdout, stderr)
		}
	}
	if entries, _ := os.ReadDir(out); len(entries) != 1 || readFile(t, old) != "an older one" {
		t.Errorf("there are %v, %q", entries, readFile(t, old))
	}
}

func TestExportONNXUsage(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-m", "model"}, "add --onnx"},
		{[]string{"-m", "model", "--onnx", "-c", "x.yaml"}, "one or the other"},
		{[]string{"-m", "model", "--onnx", "-p", "x.pdparams"}, "one or the other"},
		{[]string{"-m", "model", "--onnx", "--labels", "ucf101"}, "--labels is for a checkpoint"},
		{[]string{"-m", "model", "--onnx", "--override", "a=b"}, "--override is for a checkpoint"},
		{[]string{"-m", "model", "--onnx", "--onnx_for", "openvino"}, "want onnxruntime or tensorrt"},
		{[]string{"-c", "x.yaml", "-p", "x.pdparams", "--onnx_for", "tensorrt"}, "add --onnx"},
		{[]string{"--onnx"}, "-m MODEL and --onnx"},
	} {
		code, _, stderr := command(t, "", append([]string{"export"}, tc.args...)...)
		if code != 2 || !strings.Contains(stderr, tc.want) {
			t.Errorf("%v: exit code %d, %q, want 2 and %q", tc.args, code, stderr, tc.want)
		}
	}
}

// Without the library the file is written, and the user told that nobody has
// checked it. The process that looks must be one that has not loaded it.
func TestExportONNXWithoutLibrary(t *testing.T) {
	f := makeFixture(t)
	dir := t.TempDir()
	cmd := child(t, []string{ort.LibraryVariable + "=" + filepath.Join(dir, "nothing")}, "export", "-m", f.model, "--onnx", "-o", dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "not checked with ONNX Runtime") || !strings.Contains(string(out), "make setup") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "ppTSN.onnx")); err != nil {
		t.Error(err)
	}
}

// A check must not need gigabytes: 25 views of the usual size are run, 250 are
// not.
func TestProbeShape(t *testing.T) {
	for _, tc := range []struct {
		input []int
		runs  bool
	}{
		{[]int{graph.Unknown, 25, 3, 224, 224}, true},
		{[]int{graph.Unknown, 250, 3, 224, 224}, false},
		{[]int{graph.Unknown, 3, 224, 224}, true},
		{[]int{graph.Unknown, 3, graph.Unknown, 224}, false},
	} {
		shape, ok := probeShape(tc.input)
		if ok != tc.runs || ok && shape[0] != 1 {
			t.Errorf("%v: %v, %v, want %v", tc.input, shape, ok, tc.runs)
		}
	}
}
