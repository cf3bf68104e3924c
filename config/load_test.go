package config_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/configs"
	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/schedule"
	"github.com/pptsn/pptsn/tsn"
)

// ready loads one of the repository's files by its path in configs.
func ready(t *testing.T, path string) *config.Config {
	t.Helper()
	data, err := configs.FS.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(path, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must stops the test on the error of a method call.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// Every file of the repository is complete: it can train, validate, test and export.
func TestReadyFiles(t *testing.T) {
	n := 0
	err := fs.WalkDir(configs.FS, "recognition", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		n++
		c := ready(t, path)
		if len(c.Unused) > 0 {
			t.Errorf("%s: unused keys %v", path, c.Unused)
		}
		m := must(c.Model())(t)
		if err := m.Network.Validate(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for data, classes := range map[string]int{"k400": 400, "ucf101": 101, "actions": 8} {
			if strings.Contains(path, data) {
				equal(t, path+": classes", m.Network.Classes, classes)
			}
		}
		for _, use := range []config.Use{config.Train, config.Valid, config.Test} {
			spec, data := must(c.Clip(use))(t), must(c.Data(use))(t)
			if err := spec.Validate(); err != nil {
				t.Errorf("%s: %s: %v", path, use, err)
			}
			equal(t, path+": frame folders", data.Frames, strings.Contains(path, "frames"))
		}
		must(c.Training())(t)
		equal(t, path+": distils", must(c.Distillation())(t) != nil, strings.Contains(path, "distill"))
		must(c.Metric())(t)
		must(c.Inference())(t)
		return nil
	})
	if err != nil || n < 11 {
		t.Fatalf("%d files, %v", n, err)
	}
}

// A distilled file differs from the one without a teacher in what its header says.
func TestDistilledFiles(t *testing.T) {
	for _, tc := range []struct {
		path, alone string
		segments    int // of training; 0: the same
		teacher     int // layers
	}{
		{"recognition/pptsn/pptsn_k400_frames_8seg_distill.yaml", "recognition/pptsn/pptsn_k400_frames.yaml", 8, 101},
		{"recognition/pptsn/pptsn_actions_videos_distill.yaml", "recognition/pptsn/pptsn_actions_videos.yaml", 0, 34},
	} {
		c, alone := ready(t, tc.path), ready(t, tc.alone)
		wantModel := must(alone.Model())(t)
		smoothing := wantModel.Head.LabelSmoothing
		wantModel.Key, wantModel.Head.LabelSmoothing = "MODEL.models.1.Student", 0
		equal(t, tc.path+": student", must(c.Model())(t), wantModel)
		d := distillation(t, c)
		equal(t, tc.path+": teacher", d.Peers[0].Model.Network.Layers, tc.teacher)
		equal(t, tc.path+": terms", d.Terms, []distill.Term{
			{Kind: distill.CE, Of: "Student", To: "GroundTruth", Weight: 1, Smoothing: smoothing},
			{Kind: distill.CE, Of: "Teacher", To: "GroundTruth", Weight: 1, Smoothing: smoothing},
			{Kind: distill.DML, Of: "Student", To: "Teacher", Weight: 1, Act: distill.Softmax, Epsilon: 1e-12},
		})
		training, wantTraining := must(c.Training())(t), must(alone.Training())(t)
		training.GlobalBatch = 0
		equal(t, tc.path+": training", training, wantTraining)
		for _, use := range []config.Use{config.Train, config.Valid, config.Test} {
			clips := must(alone.Clip(use))(t)
			if use != config.Test && tc.segments > 0 {
				clips.Sampling.Segments = tc.segments
			}
			equal(t, tc.path+": clips of "+string(use), must(c.Clip(use))(t), clips)
		}
	}
}

// Every other file in configs, complete or not, loads.
func TestAllFilesLoad(t *testing.T) {
	err := filepath.WalkDir("../configs", func(path string, e fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".yaml" {
			_, err = config.Load(path, nil)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestModel(t *testing.T) {
	ones := [5]float64{1, 1, 1, 1, 1}
	for _, tc := range []struct {
		path string
		want config.Model
	}{
		{"recognition/pptsn/pptsn_k400_videos.yaml", config.Model{
			Key:        "MODEL",
			Network:    tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 400, Dropout: 0.4},
			Pretrained: "data/ResNet50_vd_ssld_v2_pretrained.pdparams",
			LRFactors:  ones,
			Head:       config.Head{Std: 0.01, LabelSmoothing: 0.1, WeightLR: 5, BiasLR: 10, OwnDecay: true},
		}},
		{"recognition/tsn/tsn_k400_frames.yaml", config.Model{
			Key:        "MODEL",
			Network:    tsn.Spec{Family: tsn.TSN, Layers: 50, Classes: 400, Dropout: 0.4},
			Pretrained: "data/ResNet50_pretrain.pdparams",
			LRFactors:  ones,
			Head:       config.Head{Std: 0.01, WeightLR: 1, BiasLR: 1},
		}},
	} {
		equal(t, tc.path, must(ready(t, tc.path).Model())(t), tc.want)
	}
}

func TestSettings(t *testing.T) {
	c := ready(t, "recognition/tsn/tsn_ucf101_videos.yaml")
	equal(t, "name", c.Name, "TSN")
	equal(t, "output", c.OutputDir, filepath.Join("output", "TSN"))
	equal(t, "log level", c.LogLevel, slog.LevelInfo)
	equal(t, "log interval", c.LogInterval, 20)
	equal(t, "GPU", c.UseGPU, true)
}

func TestTraining(t *testing.T) {
	for _, tc := range []struct {
		path string
		want config.Training
	}{
		{"recognition/pptsn/pptsn_k400_frames.yaml", config.Training{
			Epochs: 100, SaveInterval: 20, ValInterval: 1,
			Optimizer: config.Optimizer{
				Method: config.Momentum, Momentum: 0.9, Nesterov: true, WeightDecay: 1e-4,
				LearningRate: schedule.LearningRate{WarmupCosine: &schedule.WarmupCosine{
					Start: 0.005, WarmupEpochs: 10, Base: 0.01, Epochs: 100,
				}},
			},
			Mix: &config.Mix{MixupAlpha: 0.2},
		}},
		{"recognition/tsn/tsn_k400_videos.yaml", config.Training{
			Epochs: 100, SaveInterval: 10, ValInterval: 1,
			Optimizer: config.Optimizer{
				Method: config.Momentum, Momentum: 0.9, WeightDecay: 1e-4, ClipNorm: 40,
				LearningRate: schedule.LearningRate{Piecewise: &schedule.Piecewise{
					Boundaries: []int{40, 80}, Values: []float64{0.01, 0.001, 0.0001},
				}},
			},
		}},
	} {
		equal(t, tc.path, must(ready(t, tc.path).Training())(t), tc.want)
	}
}

func TestData(t *testing.T) {
	frames := ready(t, "recognition/tsn/tsn_k400_frames.yaml")
	pattern := must(clip.ParsePattern("img_{:05}.jpg"))(t)
	equal(t, "frames", must(frames.Data(config.Valid))(t), config.Data{
		List: "data/k400/val_frames.list", Prefix: "data/k400/rawframes",
		Frames: true, Suffix: "img_{:05}.jpg", Pattern: pattern, Batch: 32, Workers: 4,
	})
	videos := ready(t, "recognition/pptsn/pptsn_ucf101_videos.yaml")
	equal(t, "videos", must(videos.Data(config.Test))(t), config.Data{
		List: "data/ucf101/ucf101_val_split_1_videos.txt", Prefix: "data/ucf101/videos", Suffix: ".avi", Batch: 1, Workers: 4,
	})
}

func TestMissingSections(t *testing.T) {
	c, err := config.Parse("m.yaml", []byte("DALI_LOADER: {}\nPIPELINE:\n    valid:\nOPTIMIZER: {name: SGD, learning_rate: 0.1}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, model := c.Model()
	_, train := c.Clip(config.Train)
	_, valid := c.Clip(config.Valid)
	_, test := c.Data(config.Test)
	_, training := c.Training()
	_, metric := c.Metric()
	_, inference := c.Inference()
	for _, tc := range []struct {
		got  error
		want string
	}{
		{model, "m.yaml: MODEL: missing"},
		{train, "m.yaml: PIPELINE.train: missing (DALI_LOADER does not replace it here)"},
		{valid, "m.yaml: PIPELINE.valid: missing"},
		{test, "m.yaml: DATASET.test: missing"},
		{training, "m.yaml: epochs: missing"},
		{metric, "m.yaml: METRIC: missing"},
		{inference, "m.yaml: INFERENCE: missing"},
	} {
		if tc.got == nil || tc.got.Error() != tc.want {
			t.Errorf("%v, want %s", tc.got, tc.want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c, err := config.Load(write("a.yaml", "model_name: mine\n"), []string{"epochs=3"})
	if err != nil || c.Name != "mine" {
		t.Fatalf("%+v, %v", c, err)
	}
	t.Chdir(dir) // where no folder configs is
	c, err = config.Load("./configs/recognition/pptsn/pptsn_ucf101_videos.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := c.Model(); err != nil || m.Network.Classes != 101 {
		t.Errorf("a built-in configuration: %+v, %v", m, err)
	}
	for _, tc := range []struct{ path, want string }{
		{filepath.Join(dir, "none.yaml"), "no such file or directory"},
		{"configs/recognition/none.yaml", "no such file or directory"},
		{"configs/recognition", "no such file or directory"},
		{"recognition/pptsn/pptsn_ucf101_videos.yaml", "no such file or directory"},
		{dir, "a folder, not a YAML file"},
		{write("empty.yaml", ""), "empty.yaml: empty"},
		{write("large.yaml", strings.Repeat("#", 300<<10)), "large.yaml: 307200 bytes: a configuration has at most 262144"},
		{write("text.yaml", "hello"), `text.yaml:1: want sections such as MODEL, found the string "hello"`},
	} {
		if _, err := config.Load(tc.path, nil); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.path, err, tc.want)
		}
	}
	if _, err := config.Load(filepath.Join(dir, "none.yaml"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
}

// All mistakes of a file come at once, in the order of its lines, and typed.
func TestErrorsAreJoinedAndTyped(t *testing.T) {
	_, err := config.Parse("x.yaml", []byte("epochs: 0\nmodel_nam: a\nMETRIC:\n    name: CenterCropMetric\n    topk: 5\n"), []string{"save_interval=0"})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v is not joined", err)
	}
	var got []config.Error
	for _, e := range joined.Unwrap() {
		var typed *config.Error
		if !errors.As(e, &typed) {
			t.Fatalf("%T is not *config.Error", e)
		}
		got = append(got, *typed)
	}
	equal(t, "errors", got, []config.Error{
		{File: "x.yaml", Line: 1, Key: "epochs", Msg: "want at least 1, found 0"},
		{File: "x.yaml", Line: 2, Key: "model_nam", Msg: "unknown key; did you mean model_name?"},
		{File: "x.yaml", Line: 5, Key: "METRIC.topk", Msg: "want a list of numbers, found 5"},
		{Override: "save_interval=0", Key: "save_interval", Msg: "want at least 1, found 0"},
	})
}
