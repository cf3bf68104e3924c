package config_test

import (
	"strings"
	"testing"

	"github.com/pptsn/pptsn/config"
)

// checkErrors parses and compares the whole text of the error.
func checkErrors(t *testing.T, what, yaml string, overrides []string, want ...string) {
	t.Helper()
	_, err := config.Parse("x.yaml", []byte(yaml), overrides)
	got := "no error"
	if err != nil {
		got = err.Error()
	}
	if w := strings.Join(want, "\n"); got != w {
		t.Errorf("%s:\n got %s\nwant %s", what, got, w)
	}
}

type mistake struct {
	name, yaml string
	want       []string
}

func checkAll(t *testing.T, rows []mistake) {
	t.Helper()
	for _, tc := range rows {
		checkErrors(t, tc.name, tc.yaml, nil, tc.want...)
	}
}

func TestSyntaxErrors(t *testing.T) {
	checkAll(t, []mistake{
		{"empty", "", []string{"x.yaml: empty"}},
		{"comments only", "# nothing\n", []string{"x.yaml: empty"}},
		{"a list", "- a\n", []string{"x.yaml:1: want sections such as MODEL, found a list of 1"}},
		{"tab", "MODEL:\n\tframework: a\n", []string{
			"x.yaml:2: found character that cannot start any token (this line holds a tab; YAML indents with spaces)"}},
		{"open quote", "model_name: \"a\n", []string{"x.yaml:2: found unexpected end of stream"}},
		{"two documents", "epochs: 1\n---\nepochs: 2\n", []string{"x.yaml: more than one YAML document"}},
		{"key twice", "epochs: 1\nMIX:\n    name: Mixup\n    name: Cutmix\nepochs: 2\n", []string{
			"x.yaml:4: key name a second time; the first is on line 3",
			"x.yaml:5: key epochs a second time; the first is on line 1"}},
		{"a list as key", "? [a, b]\n: 1\n", []string{"x.yaml:1: a key must be a word, not a list or mapping"}},
		{"Python object", "model_name: !!python/object:os.system {}\n", []string{
			"x.yaml:1: tag !!python/object:os.system is not supported"}},
		{"unknown anchor", "MIX: *a\n", []string{"x.yaml: unknown anchor 'a' referenced"}},
		{"anchor in itself", "MIX: &a\n    name: *a\n", []string{"x.yaml:1: anchor a holds itself"}},
		{"merge of a word", "MIX:\n    <<: Mixup\n", []string{`x.yaml:2: a merge key needs a mapping, found the string "Mixup"`}},
		{"not UTF-8", "epochs: 1\nmodel_name: \"\xff\"\n", []string{"x.yaml:2: not text in UTF-8"}},
	})
}

func TestUnknownKeys(t *testing.T) {
	checkAll(t, []mistake{
		{"top", "epoch: 3\n", []string{"x.yaml:1: epoch: unknown key; did you mean epochs?"}},
		{"case", "PIPELINE:\n    Train:\n", []string{"x.yaml:2: PIPELINE.Train: unknown key; did you mean train?"}},
		{"head", "MODEL:\n    framework: Recognizer2D\n    backbone: {name: ResNet, depth: 50}\n    head:\n        name: TSNHead\n        num_clases: 400\n        num_classes: 400\n", []string{
			"x.yaml:6: MODEL.head.num_clases: unknown key; did you mean num_classes?"}},
		{"of another backbone", "MODEL:\n    framework: Recognizer2D\n    head: {name: TSNHead, num_classes: 9}\n    backbone:\n        name: ResNetTweaksTSN\n        depth: 50\n", []string{
			"x.yaml:6: MODEL.backbone.depth: unknown key; known here: name, lr_mult_list, layers, pretrained"}},
		{"of another head", "MODEL:\n    framework: Recognizer2D\n    backbone: {name: ResNet, depth: 50}\n    head: {name: TSNHead, num_classes: 9, fclr5: True}\n", []string{
			"x.yaml:4: MODEL.head.fclr5: unknown key; known here: name, num_classes, in_channels, drop_ratio, std, ls_eps, data_format, loss_cfg"}},
		{"of a transform", pipeline("- TenCrop: {target_sise: 224, target_size: 224}"), []string{
			"x.yaml:6: PIPELINE.test.transform.0.TenCrop.target_sise: unknown key; did you mean target_size?"}},
		{"of a schedule", "OPTIMIZER:\n    name: SGD\n    learning_rate:\n        name: PiecewiseDecay\n        values: [1, 0.1]\n        boundary: [3]\n        boundaries: [3]\n", []string{
			"x.yaml:6: OPTIMIZER.learning_rate.boundary: unknown key; did you mean boundaries?"}},
	})
}

// pipeline is a test pipeline that cuts and normalises as given and else as needed.
func pipeline(steps ...string) string {
	text := `PIPELINE:
    test:
        decode: {name: VideoDecoder}
        sample: {name: Sampler, num_seg: 25, valid_mode: True}
        transform:
`
	steps = append(steps, "- Image2Array:", "- Normalization: {mean: [0, 0, 0], std: [1, 1, 1]}")
	return text + "            " + strings.Join(steps, "\n            ") + "\n"
}

func sample(options string) string {
	return strings.Replace(pipeline("- TenCrop: {target_size: 224}"), "num_seg: 25, valid_mode: True", options, 1)
}

func model(backbone, head string) string {
	return "MODEL:\n    framework: Recognizer2D\n    backbone: {" + backbone + "}\n    head: {" + head + "}\n"
}

func TestModelErrors(t *testing.T) {
	const resnet, head = "name: ResNetTweaksTSN", "name: ppTSNHead, num_classes: 400"
	checkAll(t, []mistake{
		{"another model", "MODEL:\n    framework: Recognizer3D\n    backbone:\n        name: ResNetSlowFast\n        alpha: 8\n    head:\n        name: SlowFastHead\nepochs: none\n", []string{
			"x.yaml:1: MODEL: not a model that is built here: those are PP-TSN (ResNetTweaksTSN with ppTSNHead) and TSN (ResNet with TSNHead)",
			"x.yaml:2: MODEL.framework: Recognizer3D is not supported: want Recognizer2D or RecognizerDistillation",
			"x.yaml:4: MODEL.backbone.name: ResNetSlowFast is not supported: want ResNetTweaksTSN or ResNet",
			"x.yaml:7: MODEL.head.name: SlowFastHead is not supported: want ppTSNHead or TSNHead"}},
		{"nothing in it", "MODEL: {}\n", []string{
			"x.yaml:1: MODEL.framework: missing", "x.yaml:1: MODEL.backbone: missing", "x.yaml:1: MODEL.head: missing"}},
		{"not a mapping", "MODEL: ppTSN\n", []string{`x.yaml:1: MODEL: want a mapping, found the string "ppTSN"`}},
		{"no classes", model(resnet, "name: ppTSNHead"), []string{"x.yaml:4: MODEL.head.num_classes: missing"}},
		{"0 classes", model(resnet, "name: ppTSNHead, num_classes: 0"), []string{"x.yaml:4: MODEL.head.num_classes: want 1 to 1000000, found 0"}},
		{"classes as a word", model(resnet, "name: ppTSNHead, num_classes: many"), []string{
			`x.yaml:4: MODEL.head.num_classes: want an integer, found the string "many"`}},
		{"half a class", model(resnet, "name: ppTSNHead, num_classes: 1.5"), []string{"x.yaml:4: MODEL.head.num_classes: want an integer, found 1.5"}},
		{"channels", model(resnet, head+", in_channels: 512"), []string{
			"x.yaml:4: MODEL.head.in_channels: want 2048, which a backbone of 50 layers gives, found 512"}},
		{"layers", model(resnet+", layers: 20", head+", in_channels: 2048"), []string{
			"x.yaml:3: MODEL.backbone.layers: want one of [18 34 50 101 152 200], found 20"}},
		{"TSN's layers", model("name: ResNet, depth: 200", "name: TSNHead, num_classes: 5"), []string{
			"x.yaml:3: MODEL.backbone.depth: want one of [18 34 50 101 152], found 200"}},
		{"no depth", model("name: ResNet", "name: TSNHead, num_classes: 5"), []string{"x.yaml:3: MODEL.backbone.depth: missing"}},
		{"factors", model(resnet+", lr_mult_list: [1, 1]", head), []string{
			"x.yaml:3: MODEL.backbone.lr_mult_list: want 5 numbers: stem and four stages, found a list of 2"}},
		{"dropout", model(resnet, head+", drop_ratio: 1"), []string{"x.yaml:4: MODEL.head.drop_ratio: want a number from 0 to below 1, found 1"}},
		{"layout", model(resnet, head+", data_format: NHWC"), []string{
			`x.yaml:4: MODEL.head.data_format: "NHWC" is not supported: tensors are NCHW at the head's door`}},
		{"loss", model(resnet, head+", loss_cfg: {name: FocalLoss, gamma: 2}"), []string{
			"x.yaml:4: MODEL.head.loss_cfg.name: FocalLoss is not supported: want CrossEntropyLoss"}},
	})
}

func TestPipelineErrors(t *testing.T) {
	const crop = "- TenCrop: {target_size: 224}"
	checkAll(t, []mistake{
		{"frames a segment", sample("num_seg: 8, seg_len: 4, valid_mode: True"), []string{
			"x.yaml:4: PIPELINE.test.sample.seg_len: 4 is not supported: one frame is taken from each segment"}},
		{"interval", sample("num_seg: 8, frame_interval: 2, valid_mode: True"), []string{
			"x.yaml:4: PIPELINE.test.sample.frame_interval: 2 is not supported: it samples clips, not segments"}},
		{"dense", sample("num_seg: 8, dense_sample: True, valid_mode: True"), []string{
			"x.yaml:4: PIPELINE.test.sample.dense_sample: True is not supported: frames are taken from the whole video"}},
		{"random test", sample("num_seg: 8"), []string{
			"x.yaml:4: PIPELINE.test.sample.valid_mode: test would choose frames at random: want True"}},
		{"no segments", sample("num_seg: 0, valid_mode: yes"), []string{"x.yaml:4: PIPELINE.test.sample.num_seg: want 1 to 10000, found 0"}},
		{"decoder", strings.Replace(pipeline(crop), "VideoDecoder", "FeatureDecoder, num_classes: 3", 1), []string{
			"x.yaml:3: PIPELINE.test.decode.name: FeatureDecoder is not supported: want VideoDecoder or FrameDecoder"}},
		{"backend", strings.Replace(pipeline(crop), "VideoDecoder", "VideoDecoder, backend: pyav", 1), []string{
			"x.yaml:3: PIPELINE.test.decode.backend: pyav is not supported: want cv2 or decord"}},
		{"TimeSformer", strings.Replace(pipeline(crop), "VideoDecoder", "VideoDecoder, sampling_rate: 32", 1), []string{
			"x.yaml:3: PIPELINE.test.decode.sampling_rate: 32 is not supported: only TimeSformer's decoder reads it"}},
		{"another transform", pipeline("- RandomCrop: {target_size: 224}"), []string{
			"x.yaml:6: PIPELINE.test.transform.0: RandomCrop is not supported: want Scale, MultiScaleCrop, CenterCrop, TenCrop, RandomFlip, Image2Array or Normalization"}},
		{"keep_ratio", pipeline("- Scale: {short_size: 256, fixed_ratio: False, keep_ratio: True}", crop), []string{
			"x.yaml:6: PIPELINE.test.transform.0.Scale.keep_ratio: True is not supported: fixed_ratio True gives 4:3, False keeps the shape"}},
		{"resizing", pipeline("- Scale: {short_size: 256, backend: pil}", crop), []string{
			"x.yaml:6: PIPELINE.test.transform.0.Scale.backend: pil is not supported: want pillow or cv2"}},
		{"layout", pipeline(crop, "- Image2Array: {data_format: cthw}"), []string{
			`x.yaml:7: PIPELINE.test.transform.1.Image2Array.data_format: "cthw" is not supported: the network takes frames first`,
			"x.yaml:8: PIPELINE.test.transform.2.Image2Array: stands after Image2Array: only Normalization may"}},
		{"no crop", pipeline(), []string{
			"x.yaml:5: PIPELINE.test.transform: no crop: frames of different shapes do not make a batch"}},
		{"two ten-crops", pipeline(crop, crop), []string{"x.yaml:5: PIPELINE.test.transform: more than one ten_crop"}},
		{"random step", pipeline(crop, "- RandomFlip:"), []string{"x.yaml:7: PIPELINE.test.transform.1.RandomFlip: is random: not for test"}},
		{"order", pipeline(crop, "- Normalization: {mean: [0, 0, 0], std: [1, 1, 1]}"), []string{
			"x.yaml:7: PIPELINE.test.transform.1.Normalization: needs Image2Array before it",
			"x.yaml:8: PIPELINE.test.transform.2.Image2Array: stands after Normalization, which must be last",
			"x.yaml:9: PIPELINE.test.transform.3.Normalization: stands after Normalization, which must be last"}},
		{"two colours", strings.Replace(pipeline(crop), "mean: [0, 0, 0], std: [1, 1, 1]", "mean: [0, 0], std: [1, 0, 1]", 1), []string{
			"x.yaml:8: PIPELINE.test.transform.2.Normalization.mean: want 3 numbers: red, green, blue, found a list of 2",
			"x.yaml:8: PIPELINE.test.transform.2.Normalization.std: want numbers above 0, found a list of 3"}},
		{"not a transform", pipeline(crop, "- 224"), []string{
			"x.yaml:7: PIPELINE.test.transform.1: want one transform such as \"- RandomFlip:\", found 224"}},
		{"options as a number", pipeline("- TenCrop: 224"), []string{
			"x.yaml:6: PIPELINE.test.transform.0.TenCrop: want a mapping of options or nothing, found 224"}},
		{"parts missing", "PIPELINE:\n    train:\n        decode: {name: FrameDecoder}\n", []string{
			"x.yaml:2: PIPELINE.train.sample: missing", "x.yaml:2: PIPELINE.train.transform: missing"}},
		{"helper", "INFERENCE:\n    name: ppTSM_Inference_helper\n    num_seg: 8\n", []string{
			"x.yaml:2: INFERENCE.name: ppTSM_Inference_helper is not supported: want ppTSN_Inference_helper"}},
		{"helper's crop", "INFERENCE: {name: ppTSN_Inference_helper, target_size: 320}\n", []string{
			"x.yaml:1: INFERENCE.target_size: cuts 320 pixels from frames whose short side is 256"}},
	})
}

func TestDatasetErrors(t *testing.T) {
	checkAll(t, []mistake{
		{"batch", "DATASET:\n    batch_size: 0\n", []string{"x.yaml:2: DATASET.batch_size: want 1 to 65536, found 0"}},
		{"workers", "DATASET:\n    num_workers: -1\n", []string{"x.yaml:2: DATASET.num_workers: want 0 to 1024, found -1"}},
		{"no list", "DATASET:\n    train:\n        format: VideoDataset\n", []string{"x.yaml:2: DATASET.train.file_path: missing"}},
		{"format", "DATASET:\n    train:\n        format: SFVideoDataset\n        num_ensemble_views: 1\n        file_path: a\n", []string{
			"x.yaml:3: DATASET.train.format: SFVideoDataset is not supported: want VideoDataset or FrameDataset"}},
		{"names of frames", "DATASET:\n    test:\n        format: FrameDataset\n        file_path: a\n        suffix: img.jpg\n", []string{
			`x.yaml:5: DATASET.test.suffix: file name pattern "img.jpg": no field for the number: want one such as {:05}`}},
		{"path as a number", "DATASET:\n    test:\n        format: VideoDataset\n        file_path: 2024\n", []string{
			"x.yaml:4: DATASET.test.file_path: want a string, found 2024"}},
		{"decoder does not fit", "DATASET:\n    test:\n        format: FrameDataset\n        file_path: a\n" + pipeline("- TenCrop: {target_size: 224}"), []string{
			"x.yaml:7: PIPELINE.test.decode.name: VideoDecoder does not fit DATASET.test.format, FrameDataset: want FrameDecoder"}},
	})
}

func TestTrainingErrors(t *testing.T) {
	const rate = "OPTIMIZER:\n    name: Momentum\n    learning_rate:\n        "
	checkAll(t, []mistake{
		{"optimizer", "OPTIMIZER:\n    name: RMSProp\n    rho: 0.9\n    learning_rate: 0.1\n", []string{
			"x.yaml:2: OPTIMIZER.name: RMSProp is not supported: want Momentum, SGD, Adam or AdamW"}},
		{"schedule", rate + "name: MultiStepDecay\n        milestones: [1]\n", []string{
			"x.yaml:4: OPTIMIZER.learning_rate.name: MultiStepDecay is not supported: want CustomWarmupCosineDecay, PiecewiseDecay, CustomPiecewiseDecay, CosineAnnealingDecay or LinearWarmup"}},
		{"iterations", rate + "{name: CustomWarmupCosineDecay, max_epoch: 9, warmup_epochs: 1, warmup_start_lr: 0, cosine_base_lr: 1}\n", []string{
			"x.yaml:3: OPTIMIZER.learning_rate.iter_step: CustomWarmupCosineDecay advances every iteration: want True"}},
		{"epochs", rate + "{name: PiecewiseDecay, boundaries: [1], values: [1, 0], iter_step: True}\n", []string{
			"x.yaml:4: OPTIMIZER.learning_rate.iter_step: PiecewiseDecay advances every epoch: want False"}},
		{"values", rate + "{name: PiecewiseDecay, boundaries: [1, 2], values: [1, 0]}\n", []string{
			"x.yaml:4: OPTIMIZER.learning_rate.values: want one value more than boundaries, found a list of 2"}},
		{"boundaries", rate + "{name: PiecewiseDecay, boundaries: [2, 1], values: [1, 0.1, 0]}\n", []string{
			"x.yaml:4: OPTIMIZER.learning_rate.boundaries: want ascending integers, found a list of 2"}},
		{"warm-up", rate + "{name: CustomWarmupCosineDecay, iter_step: True, max_epoch: 5, warmup_epochs: 10, warmup_start_lr: 0, cosine_base_lr: 1}\n", []string{
			"x.yaml:4: OPTIMIZER.learning_rate.warmup_epochs: want at most max_epoch, found 10"}},
		{"infinite", "OPTIMIZER:\n    name: SGD\n    learning_rate: .inf\n", []string{"x.yaml:3: OPTIMIZER.learning_rate: want a number, found +Inf"}},
		{"L1", "OPTIMIZER:\n    name: SGD\n    learning_rate: 0.1\n    weight_decay:\n        name: L1\n        value: 0.1\n", []string{
			"x.yaml:5: OPTIMIZER.weight_decay.name: L1 is not supported: want L2"}},
		{"clipping", "OPTIMIZER:\n    name: SGD\n    learning_rate: 0.1\n    grad_clip:\n        name: ClipGradByValue\n        max: 1\n        value: 1\n", []string{
			"x.yaml:5: OPTIMIZER.grad_clip.name: ClipGradByValue is not supported: want ClipGradByGlobalNorm"}},
		{"AdamW", "OPTIMIZER:\n    name: AdamW\n    learning_rate: 0.1\n    weight_decay:\n        name: L2\n        value: 0.1\n", []string{
			"x.yaml:4: OPTIMIZER.weight_decay: want a number, found a mapping"}},
		{"alpha", "MIX:\n    name: Mixup\n    alpha: 0\n", []string{"x.yaml:3: MIX.alpha: want a number above 0, found 0"}},
		{"mix", "MIX:\n    name: Cutout\n    size: 3\n", []string{"x.yaml:2: MIX.name: Cutout is not supported: want Mixup, Cutmix or VideoMix"}},
		{"metric", "METRIC:\n    name: HitOneMetric\n    num_class: 3862\n", []string{
			"x.yaml:2: METRIC.name: HitOneMetric is not supported: want CenterCropMetric or MultiCropMetric"}},
		{"metric's classes", model("name: ResNet, depth: 50", "name: TSNHead, num_classes: 5") +
			"METRIC: {name: MultiCropMetric, num_ensemble_views: 10, num_spatial_crops: 3, num_classes: 400}\n", []string{
			"x.yaml:5: METRIC.num_classes: 400, but num_classes of the head is 5"}},
		{"top k", model("name: ResNet, depth: 50", "name: TSNHead, num_classes: 5") + "INFERENCE: {name: ppTSN_Inference_helper, top_k: 6}\n", []string{
			"x.yaml:5: INFERENCE.top_k: 6 of 5 classes"}},
		{"accumulation", "DATASET: {batch_size: 32, train: {format: VideoDataset, file_path: a}}\nGRADIENT_ACCUMULATION:\n    global_batch_size: 48\n", []string{
			"x.yaml:3: GRADIENT_ACCUMULATION.global_batch_size: 48 is no multiple of DATASET.batch_size, 32"}},
		{"resume", "epochs: 5\nresume_epoch: 5\n", []string{"x.yaml:2: resume_epoch: 5 of 5 epochs: nothing is left to train"}},
		{"bool", "use_gpu: \"maybe\"\n", []string{`x.yaml:1: use_gpu: want True or False, found the string "maybe"`}},
		{"name", "model_name: ../a\n", []string{`x.yaml:1: model_name: want a file name, found the string "../a"`}},
		{"other devices", "use_xpu: True\n", []string{"x.yaml:1: use_xpu: True is not supported: CPU and CUDA devices only"}},
		{"log level", "log_level: LOUD\n", []string{"x.yaml:1: log_level: LOUD is not supported: want DEBUG, INFO, WARNING, ERROR or CRITICAL"}},
	})
}

// One override of two that belong together leaves the file readable.
func TestCropLargerThanScale(t *testing.T) {
	text := pipeline("- Scale: {short_size: 256}", "- TenCrop: {target_size: 224}")
	small := "PIPELINE.test.transform.0.Scale.short_size=128"
	c, err := config.Parse("x.yaml", []byte(text), []string{small})
	if err != nil {
		t.Fatal(err)
	}
	want := "x.yaml:7: PIPELINE.test.transform.1.TenCrop.target_size: cuts 224 pixels from frames whose short side is 128"
	if _, err := c.Clip(config.Test); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	c, err = config.Parse("x.yaml", []byte(text), []string{small, "PIPELINE.test.transform.1.TenCrop.target_size=112"})
	if err != nil {
		t.Fatal(err)
	}
	if spec, err := c.Clip(config.Test); err != nil || spec.Steps[0].Scale.ShortSide != 128 || spec.Steps[1].TenCrop.Size != 112 {
		t.Errorf("%+v, %v", spec, err)
	}
}
