package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// testConfig has three classes, so top-5 is top-3, and ten crops of 2 frames.
const testConfig = `MODEL:
    framework: "Recognizer2D"
    backbone:
        name: "ResNetTweaksTSN"
        layers: 18
    head:
        name: "ppTSNHead"
        num_classes: 3
        in_channels: 512
DATASET:
    test_batch_size: 2
    test_num_workers: 2
    test:
        format: "VideoDataset"
        data_prefix: "data"
        file_path: "val.list"
PIPELINE:
    test:
        decode:
            name: "VideoDecoder"
        sample:
            name: "Sampler"
            num_seg: 2
            valid_mode: True
            select_left: True
        transform:
            - Scale:
                short_size: 48
                fixed_ratio: False
                backend: "cv2"
            - TenCrop:
                target_size: 32
            - Image2Array:
            - Normalization:
                mean: [0.485, 0.456, 0.406]
                std: [0.229, 0.224, 0.225]
METRIC:
    name: "CenterCropMetric"
model_name: "ppTSN"
`

// A testFixture is a configuration, a checkpoint and a list of five videos, of
// which the third is missing and the fourth is damaged.
type testFixture struct{ dir, config, weights, list string }

var testFixtureMade sync.Once

func makeTestFixture(t *testing.T) testFixture {
	t.Helper()
	dir, err := fixtureOnce()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "test")
	f := testFixture{dir, filepath.Join(dir, "test.yaml"), filepath.Join(dir, "test.pdparams"), filepath.Join(dir, "val.list")}
	testFixtureMade.Do(func() {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for name, source := range map[string]string{"first.mp4": "testsrc2", "a clip.mp4": "mandelbrot", "last.mp4": "smptebars"} {
			ffmpeg(t, "-f", "lavfi", "-i", source+"=s=96x72:r=25", "-frames:v", "20", "-c:v", "libx264", "-pix_fmt", "yuv420p", filepath.Join(dir, name))
		}
		writeFile(t, filepath.Join(dir, "damaged.mp4"), "no video at all")
		writeFile(t, f.list, "first.mp4 0\na clip.mp4 1\nmissing.mp4 2\ndamaged.mp4 2\n\nlast.mp4 1\n")
		writeFile(t, f.config, strings.NewReplacer(`"data"`, fmt.Sprintf("%q", dir), `"val.list"`, fmt.Sprintf("%q", f.list)).Replace(testConfig))
		writeCheckpoint(t, f.weights, tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 3})
	})
	if _, err := os.Stat(f.weights); err != nil {
		t.Skip("the ffmpeg tool, which makes the test clips, is absent")
	}
	return f
}

// readScores reads a dump by file name.
func readScores(t *testing.T, path string) map[string]evaluate.Row {
	t.Helper()
	rows := map[string]evaluate.Row{}
	for r, err := range evaluate.ReadDumps(path) {
		if err != nil {
			t.Fatal(err)
		}
		rows[r.File] = r
	}
	return rows
}

// The scores are those that the exported model predicts, the report counts
// them, and --from prints the same report.
func TestTest(t *testing.T) {
	f := makeTestFixture(t)
	dump, out := filepath.Join(t.TempDir(), "scores.jsonl"), filepath.Join(t.TempDir(), "report")
	code, stdout, stderr := command(t, "", "test", "-c", f.config, "-w", f.weights, "--dump", dump, "--output", out)
	if code != 1 {
		t.Errorf("exit code %d, want 1 for the videos that cannot be read: %s", code, stderr)
	}
	for _, want := range []string{"2 of 5 videos could not be read", "val.list:3: ", "missing.mp4", "val.list:4: ", "damaged.mp4", "5 clips in"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("standard error lacks %q: %s", want, stderr)
		}
	}
	rows := readScores(t, dump)
	if len(rows) != 5 || rows["last.mp4"].Line != 6 || rows["last.mp4"].Row != 4 || rows["missing.mp4"].Error == "" {
		t.Errorf("dump: %+v", rows)
	}
	correct := comparePredictions(t, f, rows)
	share := strings.TrimSuffix(fmt.Sprintf("%.1f", float64(correct)/5), ".0")
	for _, want := range []string{
		"[TEST] Processing batch 0/2 ...\n[TEST] Processing batch 1/2 ...\n[TEST] Processing batch 2/2 ...\n",
		fmt.Sprintf("[TEST] finished, avg_acc1=%s, avg_acc5=0.6\n", share),
		fmt.Sprintf("%d of 5", correct), "3 of 5", "of 3 classes: always right", "mean loss",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("standard output lacks %q:\n%s", want, stdout)
		}
	}
	for _, file := range []string{"report.json", "classes.csv", "worst.csv", "confusion.json", "confusion.png"} {
		if info, err := os.Stat(filepath.Join(out, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	code, again, _ := command(t, "", "test", "--from", dump)
	if _, want, _ := strings.Cut(stdout, "[TEST] finished"); code != 1 || again != "[TEST] finished"+want {
		t.Errorf("--from: exit code %d, printed\n%s\nwant\n%s", code, again, want)
	}
}

// comparePredictions compares scores with what predict says of the files, and
// counts the right ones.
func comparePredictions(t *testing.T, f testFixture, rows map[string]evaluate.Row) (correct int) {
	t.Helper()
	model := filepath.Join(t.TempDir(), "model")
	if code, _, stderr := command(t, "", "export", "-c", f.config, "-p", f.weights, "-o", model, "--preprocess", "test"); code != 0 {
		t.Fatal(stderr)
	}
	for _, name := range []string{"first.mp4", "a clip.mp4", "last.mp4"} {
		code, stdout, stderr := command(t, "", "predict", "-m", model, "--top_k", "3", "--json", filepath.Join(f.dir, name))
		if code != 0 {
			t.Fatal(stderr)
		}
		sum := 0.0
		for _, s := range rows[name].Scores {
			sum += math.Exp(float64(s))
		}
		top := parseLines(t, stdout)[0].Top
		if *top[0].Class == rows[name].Label {
			correct++
		}
		for _, c := range top {
			if got := math.Exp(float64(rows[name].Scores[*c.Class])) / sum; math.Abs(got-c.Score) > 1e-5 {
				t.Errorf("%s class %d: probability %v, predict says %v", name, *c.Class, got, c.Score)
			}
		}
	}
	return correct
}

func TestTestJSON(t *testing.T) {
	f := makeTestFixture(t)
	names := writeFile(t, filepath.Join(t.TempDir(), "names.txt"), "red\ngreen\nblue\n")
	list := writeFile(t, filepath.Join(t.TempDir(), "short.list"), "first.mp4 0\nlast.mp4 1\n")
	code, stdout, stderr := command(t, "", "test", "-c", f.config, "-w", f.weights, "-o", "DATASET.test.file_path="+list, "--json",
		"--labels", names, "--top-worst", "1", "--num_workers", "0", "--cpu_threads", "1")
	if code != 0 || !strings.Contains(stderr, "[TEST] finished, avg_acc1=") {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var r evaluate.Result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Videos != 2 || len(r.Worst) != 1 || len(r.Failed) != 0 || r.Classes[2].Name != "blue" || r.Top[1].Used != 3 || r.Top[1].Accuracy != 1 {
		t.Errorf("%+v", r)
	}
}

// Three rows a video: the reference's other metric, from a dump.
func TestTestFromMultiCrop(t *testing.T) {
	f := makeTestFixture(t)
	dump := writeFile(t, filepath.Join(t.TempDir(), "scores.jsonl"), `{"row":0,"line":1,"file":"a","label":1,"scores":[3,1,0]}
{"row":1,"line":2,"file":"a","label":1,"scores":[0,1,0]}
{"row":2,"line":3,"file":"a","label":1,"scores":[0,2,0]}
{"row":3,"line":4,"file":"b","label":2,"scores":[0,0,5]}
`)
	code, stdout, stderr := command(t, "", "test", "--from", dump, "-c", f.config, "-o", "METRIC.name=MultiCropMetric",
		"-o", "METRIC.num_ensemble_views=3", "-o", "METRIC.num_spatial_crops=1", "-o", "METRIC.num_classes=3")
	for _, want := range []string{"[TEST] finished, avg_acc1= 1, avg_acc5= 1\n", "1 of 1", "incomplete     1, left out"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, output lacks %q: %s%s", code, want, stdout, stderr)
		}
	}
}

// Ctrl-C keeps the scores so far, and they can be counted.
func TestTestCancelled(t *testing.T) {
	f := makeTestFixture(t)
	dump := filepath.Join(t.TempDir(), "scores.jsonl")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stderr bytes.Buffer
	code := run(ctx, []string{"test", "-c", f.config, "-w", f.weights, "--dump", dump}, strings.NewReader(""), onFirstLine(cancel), &stderr)
	if code != 130 || !strings.Contains(stderr.String(), "the scores so far are in "+dump+".partial") || !strings.Contains(stderr.String(), "interrupted") {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	if _, err := os.Stat(dump); err == nil {
		t.Error("an unfinished dump has the name of a whole one")
	}
	code, stdout, _ := command(t, "", "test", "--from", dump+".partial")
	if code != 0 || !strings.Contains(stdout, "of 2") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// onFirstLine calls once something is printed, which is after a batch.
type onFirstLine func()

func (f onFirstLine) Write(p []byte) (int, error) { f(); return len(p), nil }

// Bad input: the exit code and what the message must say.
func TestTestBadInput(t *testing.T) {
	f := makeTestFixture(t)
	dir := t.TempDir()
	noMetric := writeFile(t, filepath.Join(dir, "nometric.yaml"), strings.Replace(testConfig, "METRIC:\n    name: \"CenterCropMetric\"\n", "", 1))
	high := writeFile(t, filepath.Join(dir, "high.list"), "first.mp4 0\nlast.mp4 3\n")
	two := writeFile(t, filepath.Join(dir, "two.txt"), "a\nb\n")
	words := writeFile(t, filepath.Join(dir, "words.jsonl"), "\nnot scores\n")
	backbone := filepath.Join(dir, "backbone.pdparams")
	var b bytes.Buffer
	if err := pdparams.Write(&b, []pdparams.Entry{{Name: "conv1_1._conv.weight", Tensor: tensor.New(tensor.Float32, 2, 2)}}, pdparams.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	writeFile(t, backbone, b.String())
	cw := []string{"test", "-c", f.config, "-w", f.weights}
	for _, tc := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"nothing", []string{"test"}, 2, []string{"-c CONFIG", "--from"}},
		{"no weights", []string{"test", "-c", f.config}, 2, []string{"-w"}},
		{"dump of a dump", []string{"test", "--from", "a", "--dump", "b"}, 2, []string{"--dump"}},
		{"override of nothing", []string{"test", "--from", "a", "-o", "a=b"}, 2, []string{"--config"}},
		{"negative workers", append(cw, "--num_workers", "-2"), 2, []string{"--num_workers"}},
		{"argument", append(cw, "clip.mp4"), 2, []string{"clip.mp4"}},
		{"no METRIC", []string{"test", "-c", noMetric, "-w", f.weights}, 1, []string{"METRIC", "missing", "CenterCropMetric"}},
		{"list missing", append(cw, "-o", "DATASET.test.file_path=none.list"), 1, []string{"none.list", "no such file", "DATASET.test.file_path="}},
		{"label too high", append(cw, "-o", "DATASET.test.file_path="+high), 1, []string{"high.list:2", "3"}},
		{"weights missing", []string{"test", "-c", f.config, "-w", "none.pdparams"}, 1, []string{"none.pdparams"}},
		{"a backbone", []string{"test", "-c", f.config, "-w", backbone}, 1, []string{"backbone.pdparams", "does not fit", "classifier"}},
		{"other classes", append(cw, "-o", "MODEL.head.num_classes=4"), 1, []string{"trained on 3 classes"}},
		{"labels of another length", append(cw, "--labels", two), 1, []string{"2 labels"}},
		{"clips of a video", append(cw, "-o", "METRIC.name=MultiCropMetric", "-o", "METRIC.num_ensemble_views=2", "-o", "METRIC.num_spatial_crops=1", "-o", "METRIC.num_classes=3"), 1, []string{"5 rows", "2 clips"}},
		{"dump into a folder", append(cw, "--dump", dir), 1, []string{"is a folder"}},
		{"output is a file", append(cw, "--output", two), 1, []string{"two.txt"}},
		{"no dump", []string{"test", "--from", filepath.Join(dir, "none.jsonl")}, 1, []string{"none.jsonl"}},
		{"words", []string{"test", "--from", words}, 1, []string{"words.jsonl", "line 2"}},
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

// Real clips: scores of random weights, but every one is read.
func TestTestRealClips(t *testing.T) {
	f := makeTestFixture(t)
	actions := filepath.Join(testdata.Shared(t), "data", "actions")
	list, err := os.ReadFile(filepath.Join(actions, "val.list"))
	if err != nil {
		t.Skip(err)
	}
	var short []string
	for i, line := range strings.Split(strings.TrimSpace(string(list)), "\n") {
		if i%5 == 0 { // 6 of 30
			short = append(short, line[:len(line)-1]+"2")
		}
	}
	path := writeFile(t, filepath.Join(t.TempDir(), "six.list"), strings.Join(short, "\n"))
	code, stdout, stderr := command(t, "", "test", "-c", f.config, "-w", f.weights, "-o", "DATASET.test.file_path="+path, "-o", "DATASET.test.data_prefix="+actions)
	if code != 0 || !strings.Contains(stdout, fmt.Sprintf("of %d ", len(short))) {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

// A checkpoint has no scales; contradicting flags are known before it is read.
func TestTestEngineFlags(t *testing.T) {
	for _, tc := range []struct{ flags, want string }{
		{"--precision int8", "pptsn quantize"},
		{"--engine onednn --use_gpu True", "--engine torch"},
	} {
		code, _, stderr := command(t, "", append([]string{"test", "-c", "x.yaml", "-w", "x.pdparams"}, strings.Fields(tc.flags)...)...)
		if code != 2 || !strings.Contains(stderr, tc.want) {
			t.Errorf("%s: exit code %d, %s, want %q", tc.flags, code, stderr, tc.want)
		}
	}
}
