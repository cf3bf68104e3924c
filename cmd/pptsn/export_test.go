package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/tsn"
)

func TestExportWritesAndChecks(t *testing.T) {
	f := makeFixture(t)
	dir := filepath.Join(t.TempDir(), "new", "folder")
	code, stdout, stderr := command(t, "", "export", "-c", f.config, "-p", f.weights, "-o", dir, "--override", "model_name=mine")
	if code != 0 {
		t.Fatal(stderr)
	}
	for _, file := range []string{"mine.pdmodel", "mine.pdiparams", "mine.pdiparams.info", "mine.pptsn.json"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
		if !strings.Contains(stdout, filepath.Join(dir, file)) {
			t.Errorf("%s is not named in %q", file, stdout)
		}
	}
	_, figure, ok := strings.Cut(strings.TrimSpace(stdout), "exported model: ")
	if d, err := strconv.ParseFloat(figure, 64); !ok || err != nil || d < 0 || d > 1e-5 {
		t.Errorf("largest difference in %q: want a number up to 1e-5", stdout)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// The model says which preprocessing it carries.
func TestExportPreprocess(t *testing.T) {
	f := makeFixture(t)
	withTest := writeFile(t, filepath.Join(t.TempDir(), "test.yaml"), smallConfig+`PIPELINE:
    test:
        decode: {name: "VideoDecoder", backend: "decord"}
        sample: {name: "Sampler", num_seg: 3, seg_len: 1, valid_mode: True, linspace_sample: True}
        transform:
            - Scale: {short_size: 50, fixed_ratio: False, backend: 'cv2'}
            - CenterCrop: {target_size: 48}
            - Image2Array:
            - Normalization: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
`)
	for _, tc := range []struct {
		source, mode string
		views        int
	}{{"inference", "select_left", 20}, {"test", "linspace", 3}} {
		dir := t.TempDir()
		code, _, stderr := command(t, "", "export", "-c", withTest, "-p", f.weights, "-o", dir, "--preprocess", tc.source)
		if code != 0 {
			t.Fatal(stderr)
		}
		code, stdout, stderr := command(t, "", "inspect", "--json", dir)
		if code != 0 {
			t.Fatal(stderr)
		}
		var r struct {
			Source     string `json:"preprocess_source"`
			Preprocess struct{ Sampling struct{ Mode string } }
			Inputs     []struct{ Shape []int }
		}
		if err := json.Unmarshal([]byte(stdout), &r); err != nil {
			t.Fatal(err)
		}
		if r.Source != tc.source || r.Preprocess.Sampling.Mode != tc.mode || r.Inputs[0].Shape[1] != tc.views {
			t.Errorf("%s: %s", tc.source, stdout)
		}
	}
}

func TestExportBadInput(t *testing.T) {
	f := makeFixture(t)
	dir := t.TempDir()
	data, err := os.ReadFile(f.weights)
	if err != nil {
		t.Fatal(err)
	}
	truncated := writeFile(t, filepath.Join(dir, "truncated.pdparams"), string(data[:len(data)/3]))
	malicious := writeFile(t, filepath.Join(dir, "malicious.pdparams"), "\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00touch pwned\x85R.")
	other := writeCheckpoint(t, filepath.Join(dir, "tsn.pdparams"), tsn.Spec{Family: tsn.TSN, Layers: 50, Classes: 7})
	misspelt := writeFile(t, filepath.Join(dir, "misspelt.yaml"), strings.Replace(smallConfig, "num_classes", "num_clases", 1))
	two := writeFile(t, filepath.Join(dir, "two.txt"), "a\nb\n")
	full := writeFile(t, filepath.Join(dir, "file"), "")
	e := []string{"export", "-o", filepath.Join(dir, "out")}
	for _, tc := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"no weights given", append(e, "-c", f.config), 2, []string{"-p WEIGHTS.pdparams"}},
		{"configuration missing", append(e, "-c", "nope.yaml", "-p", f.weights), 1, []string{"nope.yaml", "no such file"}},
		{"weights missing", append(e, "-c", f.config, "-p", "nope.pdparams"), 1, []string{"nope.pdparams", "no such file"}},
		{"folder instead of weights", append(e, "-c", f.config, "-p", dir), 1, []string{dir, "folder"}},
		{"cut off", append(e, "-c", f.config, "-p", truncated), 1, []string{"truncated.pdparams", "offset"}},
		{"code in the pickle", append(e, "-c", f.config, "-p", malicious), 1, []string{"malicious.pdparams", "posix.system"}},
		{"another architecture", append(e, "-c", f.config, "-p", other), 1, []string{
			"tsn.pdparams", "looks like a tsn with 50 layers", "backbone.conv1_1._conv.weight [32, 3, 3, 3]", "backbone.conv._conv.weight [64, 3, 7, 7]"}},
		{"another number of classes", append(e, "-c", f.config, "-p", f.weights, "--override", "MODEL.head.num_classes=9"), 1, []string{
			"trained on 7 classes", "head.fc.weight is [512, 7], want [512, 9]", "MODEL.head.num_classes=7"}},
		{"labels of another length", append(e, "-c", f.config, "-p", f.weights, "--labels", two), 1, []string{"two.txt", "2 labels", "7 classes"}},
		{"unknown key", append(e, "-c", misspelt, "-p", f.weights), 1, []string{"misspelt.yaml:8", "num_clases", "num_classes"}},
		{"unknown key in an override", append(e, "-c", f.config, "-p", f.weights, "--override", "MODEL.head.clases=9"), 1, []string{"MODEL.head.clases=9"}},
		{"unknown preprocessing", append(e, "-c", f.config, "-p", f.weights, "--preprocess", "valid"), 2, []string{"inference or test"}},
		{"preprocessing that the file lacks", append(e, "-c", f.config, "-p", f.weights, "--preprocess", "test"), 1, []string{"PIPELINE.test"}},
		{"output under a file", []string{"export", "-c", f.config, "-p", f.weights, "-o", filepath.Join(full, "x")}, 1, []string{full}},
		{"stray argument", append(e, "-c", f.config, "-p", f.weights, "stray"), 2, []string{"stray"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, _, stderr := command(t, "", tc.args...)
			if code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			for _, w := range tc.want {
				if !strings.Contains(stderr, w) {
					t.Errorf("the message lacks %q: %s", w, stderr)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "out", "ppTSN.pdmodel")); err == nil {
				t.Error("a model was written")
			}
		})
	}
}

// A full disk loses nothing that was there before.
func TestExportFullDisk(t *testing.T) {
	f := makeFixture(t)
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "pptsn-test", dir).CombinedOutput(); err != nil {
		t.Skipf("no small file system can be mounted here: %s", out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	writeFile(t, filepath.Join(dir, "ppTSN.pdiparams"), "the old weights")
	code, _, stderr := command(t, "", "export", "-c", f.config, "-p", f.weights, "-o", dir)
	if code != 1 || !strings.Contains(stderr, "no space left") || !strings.Contains(stderr, "ppTSN.pdiparams") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if old, _ := os.ReadFile(filepath.Join(dir, "ppTSN.pdiparams")); string(old) != "the old weights" {
		t.Error("the old file is lost")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files are left, want 1", len(entries))
	}
}

// Weights of another model beside a program.
func TestPredictMismatchedFiles(t *testing.T) {
	f := makeFixture(t)
	dir := t.TempDir()
	nine := writeFile(t, filepath.Join(dir, "nine.yaml"), strings.Replace(smallConfig, "num_classes: 7", "num_classes: 9", 1))
	weights := writeCheckpoint(t, filepath.Join(dir, "nine.pdparams"), tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 9})
	if code, _, stderr := command(t, "", "export", "-c", nine, "-p", weights, "-o", filepath.Join(dir, "nine")); code != 0 {
		t.Fatal(stderr)
	}
	program := filepath.Join(f.model, "ppTSN.pdmodel")
	params := filepath.Join(dir, "nine", "ppTSN.pdiparams")
	for _, tc := range []struct {
		name            string
		program, params string
		want            []string
	}{
		{"of another shape", program, params, []string{params, "fc_0", "9"}},
		{"a checkpoint instead", program, f.weights, []string{f.weights}},
		{"the program twice", program, program, []string{program}},
		{"exchanged", params, program, []string{params}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, _, stderr := command(t, "", "predict", "--model_file", tc.program, "--params_file", tc.params, f.clip)
			if code != 1 {
				t.Errorf("exit code %d", code)
			}
			for _, w := range tc.want {
				if !strings.Contains(stderr, w) {
					t.Errorf("the message lacks %q: %s", w, stderr)
				}
			}
		})
	}
}

// Real files through inspect: facts from their README.
func TestInspectRealFiles(t *testing.T) {
	shared := testdata.Shared(t)
	for _, tc := range []struct {
		file string
		want map[string]any
	}{
		{"data/videos/archery-paddlevideo.avi", map[string]any{"kind": "video", "codec": "mpeg4", "width": 320., "height": 240., "rotation": 0., "frames": 131., "fps": 25.}},
		{"data/odd-videos/rotated-90.mov", map[string]any{"width": 320., "height": 568., "rotation": 90., "frames": 3.}},
		{"data/odd-videos/claims-25-has-5.mov", map[string]any{"frames": 5., "claimed_frames": 25.}},
		{"data/paddle/params/lr-proto2.pdparams", map[string]any{"kind": "checkpoint", "parameters": 14.}},
		{"data/paddle/graphs/resnet50-garbage40-v3.pdmodel", map[string]any{"kind": "model", "version": "3.0.0", "classes": 40.}},
	} {
		code, stdout, stderr := command(t, "", "inspect", "--json", filepath.Join(shared, tc.file))
		var got map[string]any
		if err := json.Unmarshal([]byte(stdout), &got); code != 0 || err != nil {
			t.Errorf("%s: exit code %d, %v, %s", tc.file, code, err, stderr)
			continue
		}
		for key, want := range tc.want {
			if got[key] != want {
				t.Errorf("%s: %s is %v, want %v", tc.file, key, got[key], want)
			}
		}
		if code, stdout, _ := command(t, "", "inspect", filepath.Join(shared, tc.file)); code != 0 || !strings.HasPrefix(stdout, filepath.Join(shared, tc.file)) {
			t.Errorf("as text: exit code %d, %q", code, stdout)
		}
	}
}
