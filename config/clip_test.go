package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/schedule"
)

// The pipelines of the reference, written down from its files; modes and
// variants also stand in the parity kit's README ("Which mode where", scale.json).
var (
	sampleTrain  = clip.Sampling{Mode: clip.SelectLeft, Segments: 3, Random: true}
	sampleValid  = clip.Sampling{Mode: clip.SelectLeft, Segments: 3}
	sampleTest   = clip.Sampling{Mode: clip.SelectLeft, Segments: 25}
	sampleVideos = clip.Sampling{Mode: clip.Linspace, Segments: 25}

	scaleRound  = clip.Step{Scale: &clip.Scale{ShortSide: 256, Round: true, Backend: clip.OpenCV}}
	scaleTrunc  = clip.Step{Scale: &clip.Scale{ShortSide: 256, Backend: clip.OpenCV}}
	scaleFixed  = clip.Step{Scale: &clip.Scale{ShortSide: 256, FixedRatio: true, Round: true, Backend: clip.OpenCV}}
	scalePillow = clip.Step{Scale: &clip.Scale{ShortSide: 256, FixedRatio: true, Backend: clip.Pillow}}

	crop13     = multiScaleCrop(true)
	crop5      = multiScaleCrop(false)
	center     = clip.Step{CenterCrop: &clip.CenterCrop{Size: 224}}
	ten        = clip.Step{TenCrop: &clip.TenCrop{Size: 224}}
	flip       = clip.Step{RandomFlip: &clip.RandomFlip{Probability: 0.5}}
	normalized = clip.Step{Normalize: &clip.Normalize{
		Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225},
	}}
)

func multiScaleCrop(more bool) clip.Step {
	return clip.Step{MultiScaleCrop: &clip.MultiScaleCrop{
		Size: 224, Scales: []float64{1, .875, .75, .66}, MaxDistort: 1,
		FixedPositions: true, AllowDuplication: true, MorePositions: more, Backend: clip.OpenCV,
	}}
}

func TestClip(t *testing.T) {
	infer := config.Use("inference")
	for _, tc := range []struct {
		file     string
		use      config.Use
		sampling clip.Sampling
		steps    []clip.Step
	}{
		{"pptsn/pptsn_k400_frames", config.Train, sampleTrain, []clip.Step{scaleRound, crop13, flip, normalized}},
		{"pptsn/pptsn_k400_frames", config.Valid, sampleValid, []clip.Step{scaleRound, center, normalized}},
		{"pptsn/pptsn_k400_frames", config.Test, sampleTest, []clip.Step{scaleRound, ten, normalized}},
		{"pptsn/pptsn_k400_frames", infer, sampleTest, []clip.Step{scaleFixed, ten, normalized}},
		{"pptsn/pptsn_k400_videos", config.Train, sampleTrain, []clip.Step{scaleRound, crop13, flip, normalized}},
		{"pptsn/pptsn_k400_videos", config.Valid, sampleValid, []clip.Step{scaleRound, center, normalized}},
		{"pptsn/pptsn_k400_videos", config.Test, sampleVideos, []clip.Step{scaleTrunc, ten, normalized}},
		{"pptsn/pptsn_k400_videos", infer, sampleTest, []clip.Step{scaleFixed, ten, normalized}},
		{"tsn/tsn_k400_frames", config.Train, sampleTrain, []clip.Step{scaleRound, crop5, flip, normalized}},
		{"tsn/tsn_k400_frames", config.Valid, sampleValid, []clip.Step{scaleRound, center, normalized}},
		{"tsn/tsn_k400_frames", config.Test, sampleTest, []clip.Step{scaleRound, ten, normalized}},
		{"tsn/tsn_k400_videos", config.Train, sampleTrain, []clip.Step{scaleRound, crop5, flip, normalized}},
		{"tsn/tsn_k400_videos", config.Valid, sampleValid, []clip.Step{scaleRound, center, normalized}},
		{"tsn/tsn_k400_videos", config.Test, sampleTest, []clip.Step{scaleRound, ten, normalized}},
		{"tsn/tsn_k400_videos", infer, sampleTest, []clip.Step{scaleFixed, ten, normalized}},
		{"pptsn/pptsn_ucf101_videos", config.Test, sampleVideos, []clip.Step{scaleTrunc, ten, normalized}},
		{"tsn/tsn_ucf101_frames", config.Train, sampleTrain, []clip.Step{scaleRound, crop5, flip, normalized}},
	} {
		c := ready(t, "recognition/"+tc.file+".yaml")
		var got clip.Spec
		if tc.use == infer {
			inference := must(c.Inference())(t)
			equal(t, tc.file+": top k", inference.TopK, 1)
			got = inference.Clip
		} else {
			got = must(c.Clip(tc.use))(t)
		}
		if want := (clip.Spec{Sampling: tc.sampling, Steps: tc.steps}); !sameSpec(got, want) {
			t.Errorf("%s: %s:\n got %s\nwant %s", tc.file, tc.use, text(got), text(want))
		}
	}
}

// What a step does when its options are left out, as in the reference's tsn_dali.yaml.
func TestClipDefaults(t *testing.T) {
	c := parse(t, `
PIPELINE:
    test:
        decode:
            name: "VideoDecoder"
        sample:
            name: "Sampler"
            valid_mode: True
            num_seg: 25
            seg_len: 1
        transform:
            - Scale:
                short_size: 256
            - CenterCrop:
                target_size: 224
            - Image2Array:
            - Normalization:
                mean: [0.485, 0.456, 0.406]
                std: [0.229, 0.224, 0.225]
    train:
        decode: {name: FrameDecoder}
        sample: {name: Sampler, num_seg: 8}
        transform:
            - MultiScaleCrop: {target_size: 224}
            - RandomFlip: {p: 0.25}
            - Image2Array: {transpose: True, data_format: tchw}
            - Normalization: {mean: [0.5, 0, 1], std: [1, 1, 2], tensor_shape: [3, 1, 1], inplace: False}
`)
	got, want := must(c.Clip(config.Test))(t), clip.Spec{
		Sampling: clip.Sampling{Mode: clip.Plain, Segments: 25},
		Steps:    []clip.Step{scalePillow, {CenterCrop: &clip.CenterCrop{Size: 224, Round: true}}, normalized},
	}
	if !sameSpec(got, want) {
		t.Errorf("test:\n got %s\nwant %s", text(got), text(want))
	}
	got, want = must(c.Clip(config.Train))(t), clip.Spec{
		Sampling: clip.Sampling{Mode: clip.Plain, Segments: 8, Random: true},
		Steps: []clip.Step{
			{MultiScaleCrop: &clip.MultiScaleCrop{
				Size: 224, Scales: []float64{1, .875, .75, .66}, MaxDistort: 1,
				FixedPositions: true, MorePositions: true, Backend: clip.Pillow,
			}},
			{RandomFlip: &clip.RandomFlip{Probability: 0.25}},
			{Normalize: &clip.Normalize{Mean: [3]float32{0.5, 0, 1}, Std: [3]float32{1, 1, 2}}},
		},
	}
	if !sameSpec(got, want) {
		t.Errorf("train:\n got %s\nwant %s", text(got), text(want))
	}
}

// The kit names each pipeline and gives the reference's arguments of Sampler.
func TestParityPipelines(t *testing.T) {
	where := map[string]struct {
		file string
		use  config.Use
	}{
		"pptsn_frames_test": {"pptsn/pptsn_k400_frames", config.Test},
		"pptsn_videos_test": {"pptsn/pptsn_k400_videos", config.Test},
		"pptsn_valid":       {"pptsn/pptsn_k400_videos", config.Valid},
		"tsn_test":          {"tsn/tsn_k400_videos", config.Test},
	}
	var kit struct {
		Cases []struct {
			Pipeline string
			Sampler  map[string]any
			Shape    []int
		}
	}
	readKit(t, "tencrop/pipelines.json", &kit)
	for _, tc := range kit.Cases {
		at, ok := where[tc.Pipeline]
		if !ok {
			continue
		}
		spec := must(ready(t, "recognition/"+at.file+".yaml").Clip(at.use))(t)
		c := parse(t, fmt.Sprintf(`
PIPELINE: {test: {decode: {name: VideoDecoder}, sample: {name: Sampler, %s, transform: [
    TenCrop: {target_size: 224}, Image2Array: , Normalization: {mean: [0, 0, 0], std: [1, 1, 1]}]}}`, text(tc.Sampler)[1:]))
		equal(t, tc.Pipeline+": sampling", spec.Sampling, must(c.Clip(config.Test))(t).Sampling)
		equal(t, tc.Pipeline+": views", spec.Views(), tc.Shape[0])
		h, w := spec.Size()
		equal(t, tc.Pipeline+": size", []int{h, w}, tc.Shape[2:])
	}
}

// The kit's schedules are given as the reference's configuration.
func TestParityLearningRates(t *testing.T) {
	want := map[string]schedule.LearningRate{
		"CustomWarmupCosineDecay": {WarmupCosine: &schedule.WarmupCosine{}},
		"PiecewiseDecay":          {Piecewise: &schedule.Piecewise{}},
		"CustomPiecewiseDecay":    {Piecewise: &schedule.Piecewise{PerIteration: true}},
	}
	var kit struct {
		Cases []struct {
			Name   string
			Config json.RawMessage
		}
	}
	readKit(t, "lr.json", &kit)
	for _, tc := range kit.Cases {
		c := parse(t, fmt.Sprintf("epochs: 100\nOPTIMIZER: {name: Momentum, learning_rate: %s}", tc.Config))
		var given struct {
			Name       string
			Start      float64 `json:"warmup_start_lr"`
			Warmup     float64 `json:"warmup_epochs"`
			Base       float64 `json:"cosine_base_lr"`
			Epochs     float64 `json:"max_epoch"`
			Boundaries []int
			Values     []float64
		}
		if err := json.Unmarshal(tc.Config, &given); err != nil {
			t.Fatal(err)
		}
		rate := want[given.Name]
		if rate.WarmupCosine != nil {
			*rate.WarmupCosine = schedule.WarmupCosine{
				Start: given.Start, WarmupEpochs: given.Warmup, Base: given.Base, Epochs: given.Epochs,
			}
		} else {
			rate.Piecewise.Boundaries, rate.Piecewise.Values = given.Boundaries, given.Values
		}
		equal(t, tc.Name, must(c.Training())(t).Optimizer.LearningRate, rate)
	}
}

func readKit(t *testing.T, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata.Parity(t), name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, yaml string, overrides ...string) *config.Config {
	t.Helper()
	c, err := config.Parse("test.yaml", []byte(yaml), overrides)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sameSpec(a, b clip.Spec) bool { return text(a) == text(b) }

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
