package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
)

// A run trains, validates, saves, logs; test, export and predict take what it
// leaves.
func TestTrainThenUse(t *testing.T) {
	f := makeTrainFixture(t)
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := command(t, "", f.args(out, "--amp")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	best := filepath.Join(out, "small_best.pdparams")
	if stdout != best+"\n" {
		t.Errorf("stdout %q, want the best weights' path", stdout)
	}
	for _, want := range []string{
		"epoch:[  1/3  ] train step:0    loss: ", " lr: 0.001000 top1: ", "batch_cost: ", "reader_cost: ", "ips: ", "eta: ",
		"END epoch:1   train loss_avg: ", "END epoch:3   val loss_avg: ", "Already save the best model (top1 acc)", "amp (bfloat16, level O1)",
		"waited for data",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("the log lacks %q:\n%s", want, stderr)
		}
	}
	log, err := os.ReadFile(filepath.Join(out, "small.log"))
	if err != nil || string(log) != stderr {
		t.Errorf("small.log is not what was shown: %v", err)
	}
	events, _ := filepath.Glob(filepath.Join(out, "events.out.tfevents.*"))
	if len(events) != 1 {
		t.Errorf("event files: %v", events)
	}
	if code, stdout, stderr := command(t, "", "test", "-c", f.config, "-w", best); code != 0 || !strings.Contains(stdout, "[TEST] finished, avg_acc1=") {
		t.Errorf("test: exit code %d: %s%s", code, stdout, stderr)
	}
	model := filepath.Join(out, "model")
	if code, _, stderr := command(t, "", "export", "-c", f.config, "-p", best, "-o", model, "--preprocess", "test"); code != 0 {
		t.Fatalf("export: exit code %d: %s", code, stderr)
	}
	if code, stdout, stderr := command(t, "", "predict", "-m", model, filepath.Join(f.dir, "clip 14.mp4")); code != 0 || !strings.Contains(stdout, "top-1 class: ") {
		t.Errorf("predict: exit code %d: %s%s", code, stdout, stderr)
	}
}

// Every option of training that the configuration knows runs.
func TestTrainOptions(t *testing.T) {
	f := makeTrainFixture(t)
	for name, args := range map[string][]string{
		"Adam":        {"-o", "OPTIMIZER={name: Adam, learning_rate: 0.001}"},
		"AdamW":       {"-o", "OPTIMIZER={name: AdamW, learning_rate: {name: CosineAnnealingDecay, learning_rate: 0.001, T_max: 3}, no_weight_decay_name: batch_norm}", "--amp", "--amp_level", "O2"},
		"SGD clipped": {"-o", "OPTIMIZER={name: SGD, learning_rate: 0.001, grad_clip: {name: ClipGradByGlobalNorm, value: 1.0}}", "-o", "MIX={name: Cutmix}"},
		"accumulated": {"-o", "GRADIENT_ACCUMULATION={global_batch_size: 8}", "-o", "MIX={name: VideoMix}", "-o", "MODEL.backbone.lr_mult_list=[0.1, 0.1, 0.5, 1, 1]"},
		"precise":     {"-o", "PRECISEBN={preciseBN_interval: 1, num_iters_preciseBN: 2}", "--max_iters", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			stop := "epoch:[  2/2  ] train step:0"
			args = f.args(out, append(args, "-o", "epochs=2")...)
			if code, stderr := trainUntil(t, stop, args...); code != exitSignal {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			if code, _, stderr := command(t, "", append(args, "--resume")...); code != 0 {
				t.Fatalf("resumed: exit code %d: %s", code, stderr)
			}
			whole := filepath.Join(t.TempDir(), "whole")
			args[len(f.args(""))-1] = "output_dir=" + whole
			if code, _, stderr := command(t, "", args...); code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			if got, want := sums(t, out, "small_epoch_00002"), sums(t, whole, "small_epoch_00002"); got != want {
				t.Errorf("resumed and whole run differ:\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Weights of another number of classes start a finetuning; what did not fit is
// listed.
func TestTrainFromWeights(t *testing.T) {
	f := makeTrainFixture(t)
	weights := makeFixture(t).weights // 7 classes
	out := filepath.Join(t.TempDir(), "out")
	code, _, stderr := command(t, "", f.args(out, "-w", weights, "-o", "epochs=1", "--max_iters", "1")...)
	if code != 0 || !strings.Contains(stderr, "head.fc.weight is [512, 7], want [512, 2]") || !strings.Contains(stderr, "tensors loaded") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	code, _, stderr = command(t, "", f.args(out, "-o", "MODEL.backbone.pretrained="+weights, "-o", "epochs=1", "--max_iters", "1")...)
	if code != 0 || strings.Contains(stderr, "head.fc.weight is") {
		t.Errorf("backbone.pretrained: exit code %d: %s", code, stderr)
	}
	code, _, stderr = command(t, "", f.args(out, "-w", weights, "-o", "MODEL.backbone.layers=34", "-o", "epochs=1", "--max_iters", "1")...)
	if code != 0 || !strings.Contains(stderr, "not in the file, left as they are") || !strings.Contains(stderr, "backbone.bb_0_2.conv0._conv.weight [64, 64, 3, 3]") {
		t.Errorf("a deeper backbone: exit code %d: %s", code, stderr)
	}
}

func TestTrainBadInput(t *testing.T) {
	f := makeTrainFixture(t)
	list := func(name, text string) string { return writeFile(t, filepath.Join(t.TempDir(), name), text) }
	for _, tc := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"no configuration", []string{"train"}, exitUsage, []string{"-c CONFIG"}},
		{"resume and weights", f.args("", "--resume", "-w", "a.pdparams"), exitUsage, []string{"--resume"}},
		{"resume_epoch and weights", f.args("", "-o", "resume_epoch=1", "-w", "a.pdparams"), exitUsage, []string{"resume_epoch", "-w"}},
		{"half on the CPU", f.args(filepath.Join(t.TempDir(), "o"), "--amp", "--amp_dtype", "float16"), exitFailed, []string{"float16", "bfloat16"}},
		{"odd precision", f.args("", "--amp", "--amp_dtype", "int8"), exitUsage, []string{"int8"}},
		{"label above num_classes", f.args("", "-o", "DATASET.train.file_path="+list("l", "clip 0.mp4 0\nclip 1.mp4 2\n")), exitFailed, []string{"l:2", "num_classes"}},
		{"no list", f.args("", "-o", "DATASET.train.file_path=absent.list"), exitFailed, []string{"absent.list", "DATASET.train"}},
		{"too few clips", f.args("", "-o", "DATASET.train.file_path="+list("l", "clip 0.mp4 0\n")), exitFailed, []string{"batch_size"}},
		{"most clips absent", f.args("", "-o", "DATASET.train.data_prefix="+t.TempDir()), exitFailed, []string{"13 of 13 clips", "line 1:", "data_prefix"}},
		{"absent weights", f.args("", "-w", "absent.pdparams"), exitFailed, []string{"absent.pdparams"}},
		{"accumulation that does not divide", f.args("", "-o", "GRADIENT_ACCUMULATION={global_batch_size: 6}"), exitFailed, []string{"global_batch_size", "batch_size, 4"}},
		{"resume_epoch without file", f.args("", "-o", "resume_epoch=2"), exitFailed, []string{"small_epoch_00002"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := tc.args
			for i, a := range args {
				if a == "output_dir=" {
					args[i] += filepath.Join(t.TempDir(), "out")
				}
			}
			code, _, stderr := command(t, "", args...)
			if code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			for _, want := range tc.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("message lacks %q: %s", want, stderr)
				}
			}
		})
	}
}

// A clip that cannot be read is named with its line and skipped, up to a share.
func TestTrainBadClips(t *testing.T) {
	f := makeTrainFixture(t)
	dir := t.TempDir()
	broken := writeFile(t, filepath.Join(dir, "broken.mp4"), "no video at all")
	text, err := os.ReadFile(filepath.Join(f.dir, "train.list"))
	if err != nil {
		t.Fatal(err)
	}
	list := writeFile(t, filepath.Join(dir, "some.list"), broken+" 1\n"+string(text))
	args := []string{"-o", "DATASET.train.file_path=" + list, "-o", "epochs=2"}
	out := filepath.Join(dir, "out")
	code, _, stderr := command(t, "", f.args(out, append(args, "--max-bad", "0.2")...)...)
	if code != 0 || strings.Count(stderr, "Skipped a clip that cannot be read: "+list+":1: ") != 1 || !strings.Contains(stderr, broken) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	code, _, stderr = command(t, "", f.args(out, append(args, "--max-bad", "0")...)...)
	if code != exitFailed || !strings.Contains(stderr, "--max-bad") {
		t.Errorf("--max-bad 0: exit code %d: %s", code, stderr)
	}
}

func TestTrainLossIsNoNumber(t *testing.T) {
	f := makeTrainFixture(t)
	out := filepath.Join(t.TempDir(), "out")
	code, _, stderr := command(t, "", f.args(out, "-o", "OPTIMIZER.learning_rate={name: PiecewiseDecay, boundaries: [1], values: [0.001, 1.0e+30]}")...)
	if code != exitFailed {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"epoch 2 step ", "not finite", "clip ", "lower learning rate", "1e+30"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("message lacks %q: %s", want, stderr)
		}
	}
	if _, err := checkpoint.Open(filepath.Join(out, "small_epoch_00001")); err != nil {
		t.Errorf("the checkpoint before: %v", err)
	}
}

func TestTrainTwoRunsInOneFolder(t *testing.T) {
	f := makeTrainFixture(t)
	out := filepath.Join(t.TempDir(), "out")
	release, err := checkpoint.Lock(out)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	code, _, stderr := command(t, "", f.args(out)...)
	if code != exitFailed || !strings.Contains(stderr, out) || !strings.Contains(stderr, itoa(os.Getpid())) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// A disk that fills ends the run with the file's name; the checkpoints before
// are whole and the run goes on from them once there is room.
func TestTrainFullDisk(t *testing.T) {
	f := makeTrainFixture(t)
	out := t.TempDir()
	if err := syscall.Mount("tmpfs", out, "tmpfs", 0, "size=150m"); err != nil {
		t.Skipf("cannot mount a small tmpfs: %v", err)
	}
	defer syscall.Unmount(out, 0)
	args := f.args(out, "-o", "epochs=2", "-o", "save_interval=1", "--save_every", "2")
	code, _, stderr := command(t, "", args...) // a checkpoint has 90 MB
	if code != exitFailed || !strings.Contains(stderr, "no space left") || !strings.Contains(stderr, out) {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	name, _, err := checkpoint.Latest(out, "small")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", out, "tmpfs", syscall.MS_REMOUNT, "size=900m"); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := command(t, "", append(args, "--resume")...); code != 0 || !strings.Contains(stderr, "Resuming from "+name) {
		t.Errorf("with room: exit code %d: %s", code, stderr)
	}
}

// Without libtorch all else works and training says how to get it.
func TestTrainWithoutLibtorch(t *testing.T) {
	f := makeTrainFixture(t)
	junk := writeFile(t, filepath.Join(t.TempDir(), "libpptsn_torch.so"), "no library")
	for _, tc := range []struct{ path, want string }{
		{filepath.Join(t.TempDir(), "absent"), "make torch"},
		{junk, "cannot be used"},
	} {
		out, err := child(t, []string{"PPTSN_TORCH=" + tc.path}, f.args(t.TempDir())...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), tc.want) {
			t.Errorf("%s: %v: %s", tc.path, err, out)
		}
	}
}

// The same seed gives the same bytes whatever the number of workers; another
// seed gives others.
func TestTrainSeed(t *testing.T) {
	f := makeTrainFixture(t)
	results := map[string]string{}
	for name, args := range map[string][]string{
		"0": nil, "0 again": {"-o", "DATASET.num_workers=3"}, "1": {"--seed", "1"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		if code, _, stderr := command(t, "", f.args(out, append(args, "-o", "epochs=1")...)...); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		results[name] = sums(t, out, "small_epoch_00001")
	}
	if results["0"] != results["0 again"] || results["0"] == results["1"] {
		b, _ := json.MarshalIndent(results, "", " ")
		t.Errorf("%s", b)
	}
}
