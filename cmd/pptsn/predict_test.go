package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// The report's form is what scripts for the reference read.
func TestPredictText(t *testing.T) {
	f := makeFixture(t)
	code, stdout, stderr := command(t, "", "predict", "-m", f.model, f.clip)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	lines := strings.Split(stdout, "\n")
	if len(lines) != 4 || lines[0] != "Current video file: "+f.clip || lines[3] != "" {
		t.Fatalf("printed %q", stdout)
	}
	class, ok := strings.CutPrefix(lines[1], "\ttop-1 class: ")
	if n, err := strconv.Atoi(class); !ok || err != nil || n < 0 || n > 6 {
		t.Errorf("class line %q", lines[1])
	}
	score, ok := strings.CutPrefix(lines[2], "\ttop-1 score: ")
	if s, err := strconv.ParseFloat(score, 64); !ok || err != nil || s <= 1.0/7 || s > 1 {
		t.Errorf("score line %q", lines[2])
	}
}

// The reference's long and short flags, and Python's booleans in both forms.
func TestPredictReferenceFlags(t *testing.T) {
	f := makeFixture(t)
	program, weights := filepath.Join(f.model, "ppTSN.pdmodel"), filepath.Join(f.model, "ppTSN.pdiparams")
	_, want, _ := command(t, "", "predict", "-m", f.model, f.clip)
	for _, args := range [][]string{
		{"--input_file", f.clip, "--config", f.config, "--model_file", program, "--params_file", weights,
			"--use_gpu=False", "--use_tensorrt=False", "--batch_size", "1"},
		{"-i", f.clip, "-c", f.config, "--model_file=" + program, "--params_file=" + weights,
			"--use_gpu", "False", "--use_tensorrt", "false", "-b", "2", "--cpu_threads", "1",
			"--enable_mkldnn", "True", "--ir_optim=True", "--gpu_mem", "8000", "--precision", "fp32", "--disable_glog", "1"},
		{"-m", filepath.Join(f.model, "ppTSN"), f.clip},
		{"-m", program, f.clip},
	} {
		code, stdout, stderr := command(t, "", append([]string{"predict"}, args...)...)
		if code != 0 || stdout != want {
			t.Errorf("%v: exit code %d, printed %q, want %q; %s", args, code, stdout, want, stderr)
		}
	}
}

// A model without manifest, as PaddleVideo exports it, needs a configuration.
func TestPredictForeignModel(t *testing.T) {
	f := makeFixture(t)
	dir := t.TempDir()
	for _, ext := range []string{".pdmodel", ".pdiparams"} {
		data, err := os.ReadFile(filepath.Join(f.model, "ppTSN"+ext))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "m"+ext), string(data))
	}
	code, _, stderr := command(t, "", "predict", "-m", dir, f.clip)
	if code != 1 || !strings.Contains(stderr, "--config") {
		t.Errorf("without a configuration: exit code %d, %s", code, stderr)
	}
	_, want, _ := command(t, "", "predict", "-m", f.model, f.clip)
	code, stdout, stderr := command(t, "", "predict", "-m", dir, "-c", f.config, f.clip)
	if code != 0 || stdout != want {
		t.Errorf("with a configuration: exit code %d, printed %q, want %q; %s", code, stdout, want, stderr)
	}
	code, _, stderr = command(t, "", "predict", "-m", dir, "-c", f.config, "-o", "INFERENCE.num_seg=3", f.clip)
	if code != 1 || !strings.Contains(stderr, "30 views") || !strings.Contains(stderr, "exported for 20") {
		t.Errorf("with other segments: exit code %d, %s", code, stderr)
	}
}

type jsonLine struct {
	File string
	Top  []struct {
		Class *int
		Name  string
		Score float64
	}
	Frames []int
	MS     map[string]float64
	Error  *struct{ Kind, Message string }
}

func parseLines(t *testing.T, stdout string) []jsonLine {
	t.Helper()
	var lines []jsonLine
	for text := range strings.Lines(stdout) {
		var l jsonLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("line %q: %v", text, err)
		}
		lines = append(lines, l)
	}
	return lines
}

// A folder or list goes on past what cannot be read, in order, and the exit
// code says so.
func TestPredictManyJSON(t *testing.T) {
	f := makeFixture(t)
	dir := t.TempDir()
	makeClip(t, filepath.Join(dir, "a clip with spaces.mp4"), 30)
	writeFile(t, filepath.Join(dir, "b.mp4"), "this is no video")
	makeClip(t, filepath.Join(dir, "c.mkv"), 1) // fewer frames than segments
	writeFile(t, filepath.Join(dir, "notes.md"), "not looked at")
	list := writeFile(t, filepath.Join(dir, "test.list"), "\ufeffa clip with spaces.mp4 3\n\n"+filepath.Join(dir, "b.mp4")+" 0\nc.mkv\n")
	want := []struct {
		file, kind string
		frames     []int
	}{
		{"a clip with spaces.mp4", "", []int{7, 22}}, // trunc(15/2), trunc(15/2+15)
		{"b.mp4", "not_a_video", nil},
		{"c.mkv", "", []int{0, 0}},
	}
	stdin, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, input := range []string{dir, list, "-"} {
		code, stdout, stderr := command(t, string(stdin), "predict", "-m", f.model, "--json", "--top_k", "3", "-b", "2", "--input_file", input)
		if code != 1 || !strings.Contains(stderr, "2 videos classified, 1 failed") {
			t.Errorf("%s: exit code %d, %s", input, code, stderr)
		}
		lines := parseLines(t, stdout)
		if len(lines) != len(want) {
			t.Fatalf("%s: %d lines, want %d: %s", input, len(lines), len(want), stdout)
		}
		for i, l := range lines {
			w := want[i]
			if filepath.Base(l.File) != w.file {
				t.Errorf("%s: line %d is of %q, want %q", input, i, l.File, w.file)
			}
			if w.kind != "" {
				if l.Error == nil || l.Error.Kind != w.kind || l.Error.Message == "" {
					t.Errorf("%s: %s: error %+v, want kind %s", input, w.file, l.Error, w.kind)
				}
				continue
			}
			if len(l.Top) != 3 || l.Top[0].Class == nil || l.Top[0].Score < l.Top[1].Score || !slices.Equal(l.Frames, w.frames) || l.MS["network"] <= 0 {
				t.Errorf("%s: %s: %+v, want frames %v", input, w.file, l, w.frames)
			}
		}
	}
}

func TestPredictLabels(t *testing.T) {
	f := makeFixture(t)
	names := writeFile(t, filepath.Join(t.TempDir(), "labels.txt"), "a\nb\nc\nd\ne\nf\ng\n")
	code, stdout, stderr := command(t, "", "predict", "-m", f.model, "--labels", names, "--top_k", "7", "--json", f.clip)
	if code != 0 {
		t.Fatal(stderr)
	}
	for _, c := range parseLines(t, stdout)[0].Top {
		if c.Name != string(rune('a'+*c.Class)) {
			t.Errorf("class %d is called %q", *c.Class, c.Name)
		}
	}
	_, stdout, _ = command(t, "", "predict", "-m", f.model, "--labels", names, f.clip)
	if !strings.Contains(stdout, "\ttop-1 name: ") {
		t.Errorf("no name in %q", stdout)
	}
}

// Bad input: the exit code and what the message must say.
func TestPredictBadInput(t *testing.T) {
	f := makeFixture(t)
	dir := t.TempDir()
	empty := writeFile(t, filepath.Join(dir, "empty.mp4"), "")
	text := writeFile(t, filepath.Join(dir, "text.mp4"), "just some words, not a video")
	sound := filepath.Join(dir, "sound.m4a")
	ffmpeg(t, "-f", "lavfi", "-i", "sine", "-t", "1", sound)
	whole := filepath.Join(dir, "whole.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=s=96x72:r=25", "-frames:v", "50", whole) // its index is at the end
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	truncated := writeFile(t, filepath.Join(dir, "truncated.mp4"), string(data[:len(data)/2]))
	two := writeFile(t, filepath.Join(dir, "two.txt"), "a\nb\n")
	if err := os.Mkdir(filepath.Join(dir, "bare"), 0o755); err != nil {
		t.Fatal(err)
	}
	m := []string{"predict", "-m", f.model}
	for _, tc := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"missing file", append(m, filepath.Join(dir, "nope.mp4")), 1, []string{"nope.mp4", "no such file"}},
		{"empty file", append(m, empty), 1, []string{"empty.mp4", "empty"}},
		{"text named .mp4", append(m, text), 1, []string{"text.mp4"}},
		{"sound alone", append(m, sound), 1, []string{"sound.m4a", "no video stream"}},
		{"cut off", append(m, truncated), 1, []string{"truncated.mp4", "moov"}},
		{"folder without videos", append(m, filepath.Join(dir, "bare")), 1, []string{"bare", "no video files"}},
		{"no video given", m, 2, []string{"needs a video"}},
		{"no model given", []string{"predict", f.clip}, 2, []string{"needs a model"}},
		{"model missing", []string{"predict", "-m", filepath.Join(dir, "nomodel"), f.clip}, 1, []string{"no model at", "nomodel"}},
		{"folder without model", []string{"predict", "-m", dir, f.clip}, 1, []string{"no model in folder"}},
		{"half a model", []string{"predict", "--model_file", "x.pdmodel", f.clip}, 2, []string{"--params_file"}},
		{"labels of another length", append(m, "--labels", two, f.clip), 1, []string{"2 labels", "7 classes"}},
		{"labels missing", append(m, "--labels", filepath.Join(dir, "nolabels.txt"), f.clip), 1, []string{"nolabels.txt"}},
		{"GPU on oneDNN", append(m, "--use_gpu=True", "--engine", "onednn", f.clip), 2, []string{"--engine torch"}},
		{"XPU", append(m, "--use_xpu=True", f.clip), 2, []string{"XPU"}},
		{"int8 without scales", append(m, "--precision", "int8", f.clip), 1, []string{"pptsn quantize", "ppTSN.pdmodel"}},
		{"preset", append(m, "--preset", "slow", f.clip), 2, []string{"slow", "fast, balanced or accurate"}},
		{"two forms", append(m, "--json", "--csv", f.clip), 2, []string{"choose one"}},
		{"output without form", append(m, "--output", filepath.Join(dir, "o"), f.clip), 2, []string{"--json or --csv"}},
		{"resume without output", append(m, "--resume", f.clip), 2, []string{"--output FILE"}},
		{"output is a folder", append(m, "--json", "--output", dir, f.clip), 1, []string{"--output", "directory"}},
		{"resume and overwrite", append(m, "--json", "--output", filepath.Join(dir, "o"), "--resume", "--overwrite", f.clip), 2, []string{"choose one"}},
		{"no boolean", append(m, "--use_gpu=maybe", f.clip), 2, []string{"True or False"}},
		{"unknown flag", append(m, "--use_gqu=True", f.clip), 2, []string{"use_gqu", "--help"}},
		{"precision", append(m, "--precision", "int4", f.clip), 2, []string{"int4"}},
		{"override without configuration", append(m, "-o", "INFERENCE.num_seg=3", f.clip), 2, []string{"--config"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := command(t, "", tc.args...)
			if code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			for _, w := range tc.want {
				if !strings.Contains(stderr, w) {
					t.Errorf("the message lacks %q: %s", w, stderr)
				}
			}
			if stdout != "" {
				t.Errorf("printed %q", stdout)
			}
		})
	}
}

// Ctrl-C ends the program with its own exit code and without a flood of errors.
func TestPredictCancelled(t *testing.T) {
	f := makeFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"predict", "-m", f.model, f.clip, f.clip, f.clip}, strings.NewReader(""), &out, &errs)
	if code != 130 || out.Len() > 0 || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("exit code %d, printed %q, %q", code, out.String(), errs.String())
	}
}

// A preset looks at other frames, and the report says what ran and how long it took.
func TestPredictPreset(t *testing.T) {
	f := makeFixture(t)
	for preset, frames := range map[string]int{"fast": 8, "balanced": 25} {
		code, stdout, stderr := command(t, "", "predict", "-m", f.model, "--preset", preset, "-b", "2", "--json", "-v", "--engine", "onednn",
			"--enable_benchmark", "True", f.clip, f.clip, f.clip)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		lines := parseLines(t, stdout)
		if len(lines) != 3 || len(lines[0].Frames) != frames {
			t.Errorf("%s: %s", preset, stdout)
		}
		for _, want := range []string{"onednn in fp32", strconv.Itoa(frames) + " views of a video, 2 videos at once", "ms to decode and scale"} {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: the report lacks %q: %s", preset, want, stderr)
			}
		}
	}
}
