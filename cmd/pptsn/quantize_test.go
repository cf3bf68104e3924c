package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/quantize"
	"github.com/pptsn/pptsn/tsn"
	"github.com/pptsn/pptsn/video"
)

// colourClips draws clips that differ in colour and shape, and a list of them
// with labels.
func colourClips(t *testing.T, n int) (dir, list string) {
	t.Helper()
	dir = t.TempDir()
	text := ""
	for i := range n {
		name := fmt.Sprintf("clip%02d.mp4", i)
		source := []string{"testsrc2", "smptebars", "rgbtestsrc", "yuvtestsrc"}[i%4]
		ffmpeg(t, "-f", "lavfi", "-i", source+"=s=96x72:r=25", "-vf", fmt.Sprintf("hue=h=%d:s=%d", 37*i, 1+i%3),
			"-frames:v", "6", "-c:v", "libx264", "-pix_fmt", "yuv420p", filepath.Join(dir, name))
		text += fmt.Sprintf("%s %d\n", name, i%7)
	}
	return dir, writeFile(t, filepath.Join(dir, "clips.list"), text)
}

// summaryOf is the last line of --json.
func summaryOf(t *testing.T, stdout string) (s quantizeSummary, rows int) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	d := json.NewDecoder(strings.NewReader(lines[len(lines)-1]))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%v in %q", err, lines[len(lines)-1])
	}
	return s, len(lines) - 1
}

// contents are the files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(data)
	}
	return files
}

func TestQuantize(t *testing.T) {
	f := makeFixture(t)
	dir, list := colourClips(t, 10)
	writeFile(t, filepath.Join(dir, "bad.mp4"), "this is no video")
	source := contents(t, f.model)
	out := filepath.Join(t.TempDir(), "sub", "int8")
	code, stdout, stderr := command(t, "", "quantize", "-m", f.model, "--videos", list, "-o", out, "--clips", "4", "--views", "2", "--method", "percentile", "--min-agreement", "0.5", "--json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	s, rows := summaryOf(t, stdout)
	if s.Clips != 6 || s.Labelled != 6 || s.Top1 < 0.5 || len(s.Trials) != 3 || !slices.Equal(s.Float, []string{"conv1_1"}) || rows != 22 {
		t.Errorf("%d layers, %+v", rows, s)
	}
	if !slices.Equal(s.Files, bundle.Files(filepath.Join(out, "ppTSN"))) {
		t.Errorf("wrote %v", s.Files)
	}
	if !maps.Equal(contents(t, f.model), source) {
		t.Error("the model itself was changed")
	}
	written := contents(t, out)
	for _, name := range []string{"ppTSN.pdmodel", "ppTSN.pdiparams", "ppTSN.pdiparams.info"} {
		if written[name] != source[name] {
			t.Errorf("%s is another one", name)
		}
	}
	b, err := bundle.Open(out)
	if err != nil || len(b.Scales()) == 0 {
		t.Fatalf("%d scales, %v", len(b.Scales()), err)
	}
	if _, text, _ := command(t, "", "inspect", out); !strings.Contains(text, "22 of 23 convolutions multiply 8-bit integers") {
		t.Errorf("inspect says %s", text)
	}
	// The text form on a folder, with a damaged clip in it and a check of its own.
	code, _, stderr = command(t, "", "quantize", "-m", f.model, "--videos", dir, "--check", list, "--check", dir, "-o", out, "--min-agreement", "0")
	if code != 1 || !strings.Contains(stderr, "calibrate: too few clips, 0") {
		t.Errorf("nothing left to calibrate with: exit code %d, %s", code, stderr)
	}
	code, stdout, stderr = command(t, "", "quantize", "-m", f.model, "--videos", dir, "-o", out, "--views", "1", "--method", "max", "--min-agreement", "0", "--keep", "res2a_branch1")
	if code != 0 || !strings.Contains(stderr, "left out: ") || !strings.Contains(stderr, "bad.mp4") || strings.Contains(stdout, "accuracy") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	for _, want := range []string{"res5b_branch2b", "in float32: conv1_1, res2a_branch2a, res2a_branch1\n", "scales by max", "same top-1 class", "ppTSN.pptsn.json\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("printed %s, want %q", stdout, want)
		}
	}
}

// A model of PaddleVideo's has no manifest: the configuration says how videos are
// prepared, and the copy says it itself.
func TestQuantizeForeignModel(t *testing.T) {
	f := makeFixture(t)
	_, list := colourClips(t, 8)
	dir := t.TempDir()
	for _, ext := range []string{".pdmodel", ".pdiparams"} {
		data, err := os.ReadFile(filepath.Join(f.model, "ppTSN"+ext))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "m"+ext), string(data))
	}
	out := t.TempDir()
	args := []string{"quantize", "-m", dir, "--videos", list, "-o", out, "--views", "1", "--method", "max", "--min-agreement", "0"}
	if code, _, stderr := command(t, "", args...); code != 1 || !strings.Contains(stderr, "--config") {
		t.Errorf("without a configuration: exit code %d, %s", code, stderr)
	}
	if code, _, stderr := command(t, "", append(args, "-c", f.config, "--override", "MODEL.head.num_classes=9")...); code != 1 || !strings.Contains(stderr, "MODEL.head.num_classes=7") {
		t.Errorf("with other classes: exit code %d, %s", code, stderr)
	}
	if code, _, stderr := command(t, "", append(args, "-c", f.config)...); code != 0 {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	b, err := bundle.Open(filepath.Join(out, "m"))
	if err != nil || len(b.Scales()) == 0 || b.Manifest.Network.Classes != 7 || b.Manifest.Preprocess.Sampling.Segments != 2 {
		t.Errorf("%+v, %v", b.Manifest, err)
	}
	code, _, stderr := command(t, "", "quantize", "-m", f.model, "-c", f.config, "--videos", list, "-o", out)
	if code != 2 || !strings.Contains(stderr, "leave out --config") {
		t.Errorf("a configuration for a model that has its own: exit code %d, %s", code, stderr)
	}
}

// spoiltModel is the fixture's with a channel in each layer's result that is a
// million and that nothing looks at: float32 does not mind, but 8 bits have no
// room left for the others. Its classifier is shifted so that it tells the clips
// apart.
func spoiltModel(t *testing.T, f fixture, clips []string) string {
	t.Helper()
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
	for name, d := range w {
		v := d.Float32s()
		switch {
		case strings.HasSuffix(name, "_batch_norm.weight"):
			v[0] = 0
		case strings.HasSuffix(name, "_batch_norm.bias"):
			v[0] = 1e6
		case len(d.Shape) == 4 && d.Shape[1] > 3: // not of what reads pictures
			for o := range d.Shape[0] {
				clear(v[o*len(v)/d.Shape[0]:][:d.Shape[2]*d.Shape[3]])
			}
		case name == "head.fc.weight":
			clear(v[:d.Shape[1]])
		}
	}
	e, err := engine.Open(t.Context(), net.Graph, w, engine.Options{Kind: engine.OneDNN, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	mean := make([]float32, b.Classes())
	for _, path := range clips {
		for k, s := range scoresOfClip(t, e, path, b.Manifest.Preprocess) {
			mean[k] += s / float32(len(clips))
		}
	}
	for k, bias := range w["head.fc.bias"].Float32s() {
		w["head.fc.bias"].Float32s()[k] = bias - mean[k]
	}
	dir := t.TempDir()
	if err := bundle.Write(filepath.Join(dir, "spoilt"), *b.Manifest, net, w); err != nil {
		t.Fatal(err)
	}
	return dir
}

func scoresOfClip(t *testing.T, e *engine.Engine, path string, spec clip.Spec) []float32 {
	t.Helper()
	v, err := video.Open(t.Context(), path, video.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	c, err := clip.Load(t.Context(), v, spec, clip.Options{})
	if err != nil {
		t.Fatal(err)
	}
	scores, err := e.Scores(t.Context(), []*clip.Clip{c})
	if err != nil {
		t.Fatal(err)
	}
	return scores[0]
}

// A model that says other classes in int8 is not written, and what is printed
// says how bad it is.
func TestQuantizeRefusal(t *testing.T) {
	f := makeFixture(t)
	dir, list := colourClips(t, 10)
	clips, err := filepath.Glob(filepath.Join(dir, "*.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	model := spoiltModel(t, f, clips)
	out := filepath.Join(t.TempDir(), "int8")
	code, stdout, stderr := command(t, "", "quantize", "-m", model, "--videos", list, "-o", out, "--clips", "4", "--views", "1", "--method", "max", "--json")
	if code != 1 || !strings.Contains(stderr, "nothing was written") || !strings.Contains(stderr, "--min-agreement") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if s, _ := summaryOf(t, stdout); s.Top1 >= 0.95 || s.Files != nil || s.MaxDrift < 0.01 {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("there is %s (%v)", out, err)
	}
}

func TestQuantizeCommandLine(t *testing.T) {
	f := makeFixture(t)
	dir, list := colourClips(t, 2)
	labels := writeFile(t, filepath.Join(dir, "high.list"), "clip00.mp4 7\n")
	out := t.TempDir()
	for _, tc := range []struct {
		code int
		want string
		args []string
	}{
		{2, "--videos LIST", []string{"-m", f.model, "-o", out}},
		{2, "-m MODEL", []string{"--videos", list, "-o", out}},
		{2, "--method", []string{"-m", f.model, "--videos", list, "-o", out, "--method", "best"}},
		{2, "from 0 to 1", []string{"-m", f.model, "--videos", list, "-o", out, "--min-agreement", "98"}},
		{2, "from 0 to 1", []string{"-m", f.model, "--videos", list, "-o", out, "--min-agreement", "NaN"}},
		{2, "--clips", []string{"-m", f.model, "--videos", list, "-o", out, "--clips", "0"}},
		{2, "--config", []string{"-m", f.model, "--videos", list, "-o", out, "--override", "a=b"}},
		{2, "no arguments", []string{"-m", f.model, list}},
		{1, "that is the model itself", []string{"-m", f.model, "--videos", list, "-o", f.model}},
		{1, "clip00.mp4", []string{"-m", f.model, "--videos", "absent.list", "-o", filepath.Join(dir, "clip00.mp4", "sub")}}, // before the clips are looked at
		{1, "/proc", []string{"-m", f.model, "--videos", "absent.list", "-o", "/proc/self/sub"}},
		{1, "layer res9", []string{"-m", f.model, "--videos", list, "-o", out, "--keep", "res9"}},
		{1, "missing.mp4: no such file", []string{"-m", f.model, "--videos", "missing.mp4", "-o", out}},
		{1, "missing.list: no such file", []string{"-m", f.model, "--videos", list, "--check", "missing.list", "-o", out}},
		{1, "calibrate: too few clips, 1: at least 4", []string{"-m", f.model, "--videos", list, "-o", out}},
		{1, "has label 7", []string{"-m", f.model, "--videos", labels, "-o", out}},
		{1, "no such file", []string{"-m", f.model, "--videos", filepath.Join(dir, "absent.list"), "-o", out}},
		{1, "no model at", []string{"-m", filepath.Join(dir, "absent"), "--videos", list, "-o", out}},
	} {
		if code, _, stderr := command(t, "", append([]string{"quantize"}, tc.args...)...); code != tc.code || !strings.Contains(stderr, tc.want) {
			t.Errorf("%v: exit code %d, %s; want %d and %q", tc.args, code, stderr, tc.code, tc.want)
		}
	}
	if files := contents(t, out); len(files) > 0 {
		t.Errorf("%d files were written", len(files))
	}
}

// Ctrl-C ends it at once; nothing is written.
func TestQuantizeCancelled(t *testing.T) {
	f := makeFixture(t)
	_, list := colourClips(t, 8)
	out := filepath.Join(t.TempDir(), "int8")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &cancelling{at: "check fp32", cancel: cancel}
	code := run(ctx, []string{"quantize", "-m", f.model, "--videos", list, "-o", out, "--views", "1", "--method", "max"}, strings.NewReader(""), &bytes.Buffer{}, stderr)
	if _, err := os.Stat(out); code != exitSignal || !os.IsNotExist(err) {
		t.Errorf("exit code %d, %s: %v", code, stderr.String(), err)
	}
}

// cancelling cancels when a text is written to it.
type cancelling struct {
	bytes.Buffer
	at     string
	cancel func()
}

func (c *cancelling) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(c.at)) {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

func TestReadSamples(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.mp4", "b 3", "c d.mp4"} {
		writeFile(t, filepath.Join(dir, name), "")
	}
	list := writeFile(t, filepath.Join(dir, "x.list"), "\ufeffa.mp4 2\r\nb 3\n\nc d.mp4\nc d.mp4,5\n/absent.mp4 1\na.mp4 -1\n")
	got, err := readSamples(list)
	want := []quantize.Sample{
		{Path: filepath.Join(dir, "a.mp4"), Label: 2}, {Path: filepath.Join(dir, "b 3"), Label: quantize.Unlabelled},
		{Path: filepath.Join(dir, "c d.mp4"), Label: quantize.Unlabelled}, {Path: filepath.Join(dir, "c d.mp4"), Label: 5},
		{Path: "/absent.mp4", Label: 1}, {Path: filepath.Join(dir, "a.mp4"), Label: quantize.Unlabelled},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}
