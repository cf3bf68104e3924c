package config_test

import (
	"log/slog"
	"testing"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/schedule"
	"github.com/pptsn/pptsn/tsn"
)

// Every key that the reference reads for these models, with values that are
// not the defaults where something else is possible.
const everyKey = `
MODEL:
    framework: 'Recognizer2D'
    backbone:
        name: ResNetTweaksTSN
        pretrained: " "
        layers: 101
        lr_mult_list: [0, 0.25, 0.5, 0.75, 1]
    head:
        name: ppTSNHead
        num_classes: 51
        in_channels: 2048
        loss_cfg: {name: CrossEntropyLoss, loss_weight: 1.0}
        drop_ratio: 0
        std: 0.001
        data_format: NCHW
        fclr5: False
        ls_eps: 0.05
    runtime_cfg: None

DATASET:
    batch_size: 4
    valid_batch_size: 5
    test_batch_size: 6
    num_workers: 1
    valid_num_workers: 2
    test_num_workers: 3
    shuffle_valid: False
    train: {format: VideoDataset, file_path: a, data_prefix: None, suffix: .avi, num_retries: 5, test_mode: False}
    valid: {format: VideoDataset, file_path: b}
    test: {format: FrameDataset, file_path: c, data_prefix: /d, suffix: 'f{:06d}.jpg', num_retries: 1, test_mode: True}

PIPELINE:
    train:
        decode: {name: VideoDecoder, backend: cv2}
        sample:
            name: Sampler
            num_seg: 3
            seg_len: 1
            frame_interval:
            valid_mode: False
            select_left: True
            dense_sample: False
            linspace_sample: False
            use_pil: True
        transform:
            - Scale: {short_size: 256, fixed_ratio: False, keep_ratio: null, do_round: True, backend: cv2}
            - MultiScaleCrop:
                target_size: 224
                scales: [1, 0.5]
                max_distort: 0
                fix_crop: False
                allow_duplication: True
                more_fix_crop: False
                backend: pillow
            - RandomFlip: {p: 1}
            - Image2Array: {transpose: True, data_format: tchw}
            - Normalization: {mean: [0, 0, 0], std: [1, 1, 1], tensor_shape: [3, 1, 1], inplace: False}
    valid: null
    test:
        decode: {name: FrameDecoder}
        sample: {name: Sampler, num_seg: 3, valid_mode: True}
        transform:
            - CenterCrop: {target_size: 224, do_round: False, backend: pillow}
            - Image2Array:
            - Normalization: {mean: [0, 0, 0], std: [1, 1, 1]}

OPTIMIZER:
    name: AdamW
    beta1: 0.8
    beta2: 0.99
    epsilon: 1e-6
    no_weight_decay_name: norm bias
    weight_decay: 0.05
    grad_clip: {name: ClipGradByGlobalNorm, value: 20}
    learning_rate:
        name: LinearWarmup
        iter_step: False
        warmup_steps: 5
        start_lr: 0.0
        end_lr: 0.05
        last_epoch: -1
        verbose: False
        learning_rate: {name: CosineAnnealingDecay, learning_rate: 0.05, T_max: 50, eta_min: 1e-5}

MIX: {name: VideoMix, cutmix_prob: 0.25, mixup_alpha: 0.3, cutmix_alpha: 0.4}
METRIC: {name: CenterCropMetric, log_interval: 2, topk: [1, 3]}
INFERENCE: {name: ppTSN_Inference_helper, num_seg: 8, seg_len: 1, short_size: 128, target_size: 112, top_k: 2}
PRECISEBN: {preciseBN_interval: 2, num_iters_preciseBN: 50}
GRADIENT_ACCUMULATION: {global_batch_size: 64}
DALI_LOADER:
    batch_size: 32
    file_path: 'data/k400/train.csv'
    num_seg: 3
    seglen: 1
    short_size: 256
    target_size: 224
    mean: [0.485, 0.456, 0.406]
    std: [0.229, 0.224, 0.225]

model_name: "mine"
epochs: 7
log_interval: 5
save_interval: 2
val_interval: 3
log_level: "WARNING"
resume_epoch: 1
resume_from: "old.pdparams"
output_dir: out
use_gpu: False
use_npu: False
use_xpu: False
to_static: False
MULTIGRID:
`

func TestEveryKey(t *testing.T) {
	c := parse(t, everyKey)
	equal(t, "model", must(c.Model())(t), config.Model{
		Key:       "MODEL",
		Network:   tsn.Spec{Family: tsn.PPTSN, Layers: 101, Classes: 51},
		LRFactors: [5]float64{0, 0.25, 0.5, 0.75, 1},
		Head:      config.Head{Std: 0.001, LabelSmoothing: 0.05, WeightLR: 1, BiasLR: 1, OwnDecay: true},
	})
	for use, want := range map[config.Use]config.Data{
		config.Train: {List: "a", Suffix: ".avi", Batch: 4, Workers: 1},
		config.Valid: {List: "b", Batch: 5, Workers: 2},
	} {
		equal(t, string(use), must(c.Data(use))(t), want)
	}
	test := must(c.Data(config.Test))(t)
	equal(t, "frame", test.Pattern.Name(3), "f000003.jpg")
	equal(t, "test batch and workers", []int{test.Batch, test.Workers}, []int{6, 3})
	equal(t, "training", must(c.Training())(t), config.Training{
		Epochs: 7, SaveInterval: 2, ValInterval: 3, ResumeEpoch: 1,
		Optimizer: config.Optimizer{
			Method: config.AdamW, Beta1: 0.8, Beta2: 0.99, Epsilon: 1e-6,
			WeightDecay: 0.05, NoDecay: []string{"norm", "bias"}, ClipNorm: 20,
			LearningRate: schedule.LearningRate{LinearWarmup: &schedule.LinearWarmup{
				Epochs: 5, End: 0.05,
				After: schedule.LearningRate{Cosine: &schedule.Cosine{Base: 0.05, Period: 50, Min: 1e-5}},
			}},
		},
		Mix:         &config.Mix{CutmixShare: 0.25, MixupAlpha: 0.3, CutmixAlpha: 0.4},
		PreciseBN:   &config.PreciseBN{Interval: 2, Batches: 50},
		GlobalBatch: 64,
	})
	equal(t, "metric", must(c.Metric())(t), config.Metric{TopK: []int{1, 3}, LogInterval: 2, ClipsPerVideo: 1})
	inference := must(c.Inference())(t)
	equal(t, "inference", []int{inference.Clip.Sampling.Segments, inference.Clip.Steps[0].Scale.ShortSide, inference.Clip.Steps[1].TenCrop.Size, inference.TopK},
		[]int{8, 128, 112, 2})
	crop := must(c.Clip(config.Train))(t).Steps[1].MultiScaleCrop
	equal(t, "scales", crop.Scales, []float64{1, 0.5})
	equal(t, "anywhere, distortion", []any{!crop.FixedPositions, crop.MaxDistort}, []any{true, 0})
	equal(t, "settings", []any{c.Name, c.OutputDir, c.LogLevel, c.LogInterval, c.UseGPU}, []any{"mine", "out", slog.LevelWarn, 5, false})
	equal(t, "unused", c.Unused, []string{"DATASET.train.num_retries", "DATASET.test.num_retries", "DALI_LOADER", "to_static", "resume_from"})
}

// What is left out: the defaults of the reference's constructors and programs.
func TestDefaults(t *testing.T) {
	c := parse(t, `
MODEL: {framework: Recognizer2D, backbone: {name: ResNetTweaksTSN}, head: {name: ppTSNHead, num_classes: 3}}
DATASET: {train: {format: VideoDataset, file_path: a}, valid: {format: VideoDataset, file_path: a}, test: {format: VideoDataset, file_path: a}}
OPTIMIZER: {name: Momentum, learning_rate: 0.1}
METRIC: {name: CenterCropMetric}
MIX: {name: Mixup}
epochs: 1
`)
	equal(t, "model", must(c.Model())(t), config.Model{
		Key:       "MODEL",
		Network:   tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 3, Dropout: 0.4},
		LRFactors: [5]float64{1, 1, 1, 1, 1},
		Head:      config.Head{Std: 0.01, WeightLR: 5, BiasLR: 10, OwnDecay: true},
	})
	for _, use := range []config.Use{config.Train, config.Valid, config.Test} {
		equal(t, string(use), must(c.Data(use))(t), config.Data{List: "a", Batch: 8})
	}
	equal(t, "training", must(c.Training())(t), config.Training{
		Epochs: 1, SaveInterval: 1, ValInterval: 1,
		Optimizer: config.Optimizer{Method: config.Momentum, Momentum: 0.9, LearningRate: schedule.LearningRate{Constant: 0.1}},
		Mix:       &config.Mix{MixupAlpha: 0.2},
	})
	equal(t, "metric", must(c.Metric())(t), config.Metric{TopK: []int{1, 5}, LogInterval: 1, ClipsPerVideo: 1})
	equal(t, "settings", []any{c.Name, c.OutputDir, c.LogLevel, c.LogInterval, c.UseGPU}, []any{"ppTSN", "output/ppTSN", slog.LevelInfo, 10, true})
}

func TestVariants(t *testing.T) {
	metric := parse(t, "METRIC: {name: MultiCropMetric, num_ensemble_views: 10, num_spatial_crops: 3, num_classes: 400}\n")
	equal(t, "clips of a video", must(metric.Metric())(t).ClipsPerVideo, 30)
	for name, want := range map[string]config.Mix{
		"Mixup, alpha: 1":    {MixupAlpha: 1},
		"Cutmix":             {CutmixShare: 1, CutmixAlpha: 0.2},
		"VideoMix":           {CutmixShare: 0.5, MixupAlpha: 0.2, CutmixAlpha: 1},
		"Cutmix, alpha: 0.5": {CutmixShare: 1, CutmixAlpha: 0.5},
	} {
		c := parse(t, "epochs: 1\nOPTIMIZER: {name: SGD, learning_rate: 0.1}\nMIX: {name: "+name+"}\n")
		equal(t, name, *must(c.Training())(t).Mix, want)
	}
	for options, want := range map[string]config.Optimizer{
		"name: SGD":                     {Method: config.SGD},
		"name: SGD, weight_decay: 1e-4": {Method: config.SGD, WeightDecay: 1e-4},
		"name: SGD, weight_decay: {name: L2Decay, value: 5e-4}": {Method: config.SGD, WeightDecay: 5e-4},
		"name: Adam":     {Method: config.Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8},
		"name: AdamW":    {Method: config.AdamW, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01},
		"name: Momentum": {Method: config.Momentum, Momentum: 0.9},
		"name: Momentum, momentum: 0.5, use_nesterov: True": {Method: config.Momentum, Momentum: 0.5, Nesterov: true},
	} {
		c := parse(t, "epochs: 1\nOPTIMIZER: {"+options+", learning_rate: 0.1}\n")
		want.LearningRate.Constant = 0.1
		equal(t, options, must(c.Training())(t).Optimizer, want)
	}
	equal(t, "sync_bn", must(parse(t, "MODEL: {sync_bn: True, framework: Recognizer2D, backbone: {name: ResNetTweaksTSN}, head: {name: ppTSNHead, num_classes: 3}}\n").Model())(t).SyncBN, true)
	// The head and the backbone may be mixed, as in the reference.
	mixed := parse(t, model("name: ResNetTweaksTSN, layers: 18", "name: TSNHead, num_classes: 5, in_channels: 512"))
	equal(t, "mixed", must(mixed.Model())(t), config.Model{
		Key:       "MODEL",
		Network:   tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 5, Dropout: 0.4},
		LRFactors: [5]float64{1, 1, 1, 1, 1},
		Head:      config.Head{Std: 0.01, WeightLR: 1, BiasLR: 1},
	})
}
