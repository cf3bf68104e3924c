package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/torch"
)

// trainConfig is two classes of clips, three iterations of four clips in an
// epoch, with everything random that training has: shuffle, crops, flips,
// Mixup, dropout.
const trainConfig = `MODEL:
    framework: "Recognizer2D"
    backbone:
        name: "ResNetTweaksTSN"
        layers: 18
    head:
        name: "ppTSNHead"
        num_classes: 2
        in_channels: 512
        drop_ratio: 0.4
        ls_eps: 0.1
DATASET:
    batch_size: 4
    valid_batch_size: 3
    num_workers: 1
    train: {format: "VideoDataset", data_prefix: "DIR", file_path: "DIR/train.list"}
    valid: {format: "VideoDataset", data_prefix: "DIR", file_path: "DIR/val.list"}
    test: {format: "VideoDataset", data_prefix: "DIR", file_path: "DIR/val.list"}
PIPELINE:
    train:
        decode: {name: "VideoDecoder"}
        sample: {name: "Sampler", num_seg: 2, valid_mode: False, select_left: True}
        transform:
            - Scale: {short_size: 48, fixed_ratio: False, do_round: True, backend: "cv2"}
            - MultiScaleCrop: {target_size: 32, allow_duplication: True, more_fix_crop: True, backend: "cv2"}
            - RandomFlip:
            - Image2Array:
            - Normalization: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
    valid: &valid
        decode: {name: "VideoDecoder"}
        sample: {name: "Sampler", num_seg: 2, valid_mode: True, select_left: True}
        transform:
            - Scale: {short_size: 48, fixed_ratio: False, do_round: True, backend: "cv2"}
            - CenterCrop: {target_size: 32}
            - Image2Array:
            - Normalization: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
    test: *valid
OPTIMIZER:
    name: "Momentum"
    momentum: 0.9
    use_nesterov: True
    learning_rate: {name: "CustomWarmupCosineDecay", iter_step: True, max_epoch: 3, warmup_epochs: 1, warmup_start_lr: 0.001, cosine_base_lr: 0.01}
    weight_decay: {name: "L2", value: 0.0001}
MIX: {name: "Mixup", alpha: 0.2}
METRIC: {name: "CenterCropMetric"}
model_name: "small"
epochs: 3
log_interval: 1
`

// A trainFixture is a folder of clips with lists and the configuration.
type trainFixture struct{ dir, config string }

var trainFixtureMade sync.Once

func makeTrainFixture(t *testing.T) trainFixture {
	t.Helper()
	if _, err := torch.Version(); errors.As(err, new(*torch.NotFoundError)) {
		t.Skip(err)
	}
	root, err := fixtureOnce()
	if err != nil {
		t.Fatal(err)
	}
	f := trainFixture{filepath.Join(root, "train"), filepath.Join(root, "train", "small.yaml")}
	trainFixtureMade.Do(func() {
		if err := os.Mkdir(f.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		var train, val string
		for i := range 18 {
			name := fmt.Sprintf("clip %d.mp4", i)
			source := []string{"testsrc2", "mandelbrot"}[i%2]
			ffmpeg(t, "-f", "lavfi", "-i", fmt.Sprintf("%s=s=64x48:r=25", source), "-vf", fmt.Sprintf("hue=h=%d", 20*i), "-frames:v", "8", "-pix_fmt", "yuv420p", filepath.Join(f.dir, name))
			line := fmt.Sprintf("%s %d\n", name, i%2)
			if i < 13 { // the thirteenth shows that the last batch is dropped
				train += line
			} else {
				val += line
			}
		}
		writeFile(t, filepath.Join(f.dir, "train.list"), train)
		writeFile(t, filepath.Join(f.dir, "val.list"), val)
		writeFile(t, f.config, strings.ReplaceAll(trainConfig, "DIR", f.dir))
	})
	if _, err := os.Stat(f.config); err != nil {
		t.Skip("the ffmpeg tool, which makes the test clips, is absent")
	}
	return f
}

// args are those of a run into out. One thread: for pictures this small two
// would mostly wait for each other.
func (f trainFixture) args(out string, more ...string) []string {
	return append([]string{"train", "-c", f.config, "--validate", "--cpu_threads", "1", "-o", "output_dir=" + out}, more...)
}

// A watcher calls f with every line that is written.
type watcher struct {
	text bytes.Buffer // not embedded: its WriteString would pass Write by
	f    func(line string)
}

func (w *watcher) Write(p []byte) (int, error) {
	w.f(string(p))
	return w.text.Write(p)
}

// trainUntil runs the program and interrupts it when a line holds stop.
func trainUntil(t *testing.T, stop string, args ...string) (code int, stderr string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &watcher{f: func(line string) {
		if strings.Contains(line, stop) {
			cancel()
		}
	}}
	code = run(ctx, args, strings.NewReader(""), &bytes.Buffer{}, w)
	return code, w.text.String()
}

// sums are the hashes of the files that two equal runs have in common.
func sums(t *testing.T, dir string, names ...string) string {
	t.Helper()
	var all []string
	for _, name := range names {
		for _, ext := range []string{".pdparams", ".pdopt"} {
			b, err := os.ReadFile(filepath.Join(dir, name+ext))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprintf("%s%s %x", name, ext, sha256.Sum256(b)))
		}
	}
	return strings.Join(all, "\n")
}

// child runs the test binary as the program, in a process of its own.
func child(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), "PPTSN_TEST_MAIN=1"), env...)
	return cmd
}
