package config_test

import (
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/configs"
	"github.com/pptsn/pptsn/schedule"
)

func overridden(t *testing.T, overrides ...string) *config.Config {
	t.Helper()
	data, err := configs.FS.ReadFile("recognition/pptsn/pptsn_k400_videos.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(data), overrides...)
}

func TestOverrides(t *testing.T) {
	classes := func(c *config.Config) any { return must(c.Model())(t).Network.Classes }
	pretrained := func(c *config.Config) any { return must(c.Model())(t).Pretrained }
	prefix := func(c *config.Config) any { return must(c.Data(config.Train))(t).Prefix }
	test := func(c *config.Config) clip.Spec { return must(c.Clip(config.Test))(t) }
	rate := func(c *config.Config) schedule.LearningRate { return must(c.Training())(t).Optimizer.LearningRate }
	const lr = "OPTIMIZER.learning_rate"
	for _, tc := range []struct {
		override string
		get      func(*config.Config) any
		want     any
	}{
		{"MODEL.head.num_classes=101", classes, 101},
		{"MODEL.head.num_classes= 101 ", classes, 101},
		{"MODEL.head.num_classes=0x65", classes, 101},
		{"MODEL.head={'name': 'TSNHead', 'num_classes': 7}", classes, 7},
		{"MODEL.head={name: TSNHead, num_classes: 7}", classes, 7},
		{"MODEL.backbone.pretrained=data/a=b.pdparams", pretrained, "data/a=b.pdparams"},
		{"MODEL.backbone.pretrained='data/my weights.pdparams'", pretrained, "data/my weights.pdparams"},
		{"MODEL.backbone.pretrained=", pretrained, ""},
		{"MODEL.backbone.pretrained=None", pretrained, ""},
		{"MODEL.backbone.pretrained= ", pretrained, ""},
		{"DATASET.train.data_prefix=/data/2024", prefix, "/data/2024"},
		{"DATASET.train.data_prefix=2024", prefix, "2024"},
		{"DATASET.train.data_prefix=[old]/k400", prefix, "[old]/k400"},
		{"DATASET.train.data_prefix=None", prefix, ""},
		{"PIPELINE.test.transform.0.Scale.short_size=320", func(c *config.Config) any { return test(c).Steps[0].Scale.ShortSide }, 320},
		{"PIPELINE.test.transform.0.Scale.do_round=True", func(c *config.Config) any { return test(c).Steps[0].Scale.Round }, true},
		{"PIPELINE.test.transform.0.Scale.do_round=yes", func(c *config.Config) any { return test(c).Steps[0].Scale.Round }, true},
		{"PIPELINE.test.transform.1={'CenterCrop': {'target_size': 112}}", func(c *config.Config) any { return *test(c).Steps[1].CenterCrop },
			clip.CenterCrop{Size: 112, Round: true}},
		{"PIPELINE.train.transform.2.RandomFlip.p=0.1", // the file has nothing below RandomFlip
			func(c *config.Config) any { return must(c.Clip(config.Train))(t).Steps[2].RandomFlip.Probability }, 0.1},
		{"PIPELINE.test.transform.3.Normalization.mean.1=0.5", func(c *config.Config) any { return test(c).Steps[2].Normalize.Mean[1] }, float32(0.5)},
		{"INFERENCE.num_seg=8", func(c *config.Config) any { return must(c.Inference())(t).Clip.Sampling.Segments }, 8},
		{"INFERENCE.top_k=5", func(c *config.Config) any { return must(c.Inference())(t).TopK }, 5},
		{"PRECISEBN.preciseBN_interval=5", func(c *config.Config) any { return *must(c.Training())(t).PreciseBN },
			config.PreciseBN{Interval: 5, Batches: 200}},
		{"GRADIENT_ACCUMULATION.global_batch_size=256", func(c *config.Config) any { return must(c.Training())(t).GlobalBatch }, 256},
		{"MIX=None", func(c *config.Config) any { return must(c.Training())(t).Mix == nil }, true},
		{lr + ".cosine_base_lr=1e-4", func(c *config.Config) any { return rate(c).WarmupCosine.Base }, 1e-4},
		{lr + "=0.5", func(c *config.Config) any { return rate(c).Constant }, 0.5},
		{lr + "={'name': 'PiecewiseDecay', 'boundaries': (3, 6), 'values': [1, .1, 1e-2]}", func(c *config.Config) any { return *rate(c).Piecewise },
			schedule.Piecewise{Boundaries: []int{3, 6}, Values: []float64{1, 0.1, 0.01}}},
		{"epochs=2", func(c *config.Config) any { return must(c.Training())(t).Epochs }, 2},
		{"resume_epoch=5", func(c *config.Config) any { return must(c.Training())(t).ResumeEpoch }, 5},
		{"output_dir=out/run 1", func(c *config.Config) any { return c.OutputDir }, "out/run 1"},
		{"val_interval=3", func(c *config.Config) any { return must(c.Training())(t).ValInterval }, 3},
	} {
		equal(t, tc.override, tc.get(overridden(t, tc.override)), tc.want)
	}
	last := overridden(t, "MODEL.head.num_classes=5", "MODEL.head.num_classes=6")
	equal(t, "the last wins", classes(last), 6)
}

// An override of what an anchor gives changes one place only.
func TestOverrideOfAnAnchor(t *testing.T) {
	c := parse(t, `
PIPELINE:
    test: &test
        decode: {name: VideoDecoder}
        sample: {name: Sampler, num_seg: 25, valid_mode: True}
        transform: [TenCrop: {target_size: 224}, Image2Array: , Normalization: {mean: [0, 0, 0], std: [1, 1, 1]}]
    valid:
        <<: *test
        sample: {name: Sampler, num_seg: 3, valid_mode: True}
`, "PIPELINE.valid.transform.0.TenCrop.target_size=112")
	for _, tc := range []struct {
		use            config.Use
		segments, size int
	}{{config.Test, 25, 224}, {config.Valid, 3, 112}} {
		spec := must(c.Clip(tc.use))(t)
		equal(t, string(tc.use)+": segments", spec.Sampling.Segments, tc.segments)
		equal(t, string(tc.use)+": size", spec.Steps[0].TenCrop.Size, tc.size)
	}
}

func TestOverrideErrors(t *testing.T) {
	const yaml = "epochs: 3\nMETRIC: {name: CenterCropMetric, topk: [1, 5]}\n"
	for _, tc := range []struct{ override, want string }{
		{"MODEL.head.num_classes", `override "MODEL.head.num_classes": want KEY=VALUE, for example MODEL.head.num_classes=101`},
		{"=3", `override "=3": an empty part in the key ""`},
		{"METRIC..topk=3", `override "METRIC..topk=3": an empty part in the key "METRIC..topk"`},
		{"METRIC.topk.2=3", `override "METRIC.topk.2=3": METRIC.topk: no item "2" in a list of 2 (they count from 0)`},
		{"METRIC.topk.-1=3", `override "METRIC.topk.-1=3": METRIC.topk: no item "-1" in a list of 2 (they count from 0)`},
		{"METRIC.topk.first=3", `override "METRIC.topk.first=3": METRIC.topk: no item "first" in a list of 2 (they count from 0)`},
		{"epochs.a=3", `override "epochs.a=3": epochs: holds 3, which has no a`},
		{"epoch=3", `override "epoch=3": epoch: unknown key; did you mean epochs?`},
		{"METRIC.top_k=3", `override "METRIC.top_k=3": METRIC.top_k: unknown key; did you mean topk?`},
		{"METRICS.topk=3", `override "METRICS.topk=3": METRICS: unknown key; did you mean METRIC?`},
		{"epochs=many", `override "epochs=many": epochs: want an integer, found the string "many"`},
		{"epochs=2*3", `override "epochs=2*3": epochs: want an integer, found the string "2*3"`},
		{"METRIC.topk=[1, 0]", `override "METRIC.topk=[1, 0]": METRIC.topk: want a list of integers from 1, found a list of 2`},
		{"METRIC=5", `override "METRIC=5": METRIC: want a mapping, found 5`},
	} {
		checkErrors(t, tc.override, yaml, []string{tc.override}, tc.want)
	}
}
