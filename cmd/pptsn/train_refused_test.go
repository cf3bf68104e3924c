package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run that cannot begin leaves the folder of an earlier one as it was: its
// checkpoints can be gone on from, its figures are all there.
func TestTrainRefusedTouchesNothing(t *testing.T) {
	f := makeTrainFixture(t)
	out := filepath.Join(t.TempDir(), "out")
	if code, _, stderr := command(t, "", f.args(out, "-o", "epochs=2", "--max_iters", "1")...); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	metrics := figures(t, out)
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"batch too large":    {[]string{"-o", "DATASET.batch_size=100"}, "batch_size"},
		"another batch":      {[]string{"-o", "resume_epoch=1", "-o", "DATASET.batch_size=2", "--max_iters", "1"}, "batch size"},
		"longer epochs":      {[]string{"-o", "resume_epoch=1", "--max_iters", "2"}, "--max_iters"},
		"float16 on the CPU": {[]string{"-o", "use_gpu=False", "--amp", "--amp_dtype", "float16"}, "float16"},
	} {
		code, _, stderr := command(t, "", f.args(out, append(tc.args, "-o", "epochs=2")...)...)
		if code != exitFailed || !strings.Contains(stderr, tc.want) {
			t.Errorf("%s: exit code %d, want %q in %s", name, code, tc.want, stderr)
		}
		for _, epoch := range []string{"1", "2"} {
			if _, err := os.Stat(filepath.Join(out, "small_epoch_0000"+epoch+".pptsn.json")); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if figures(t, out) != metrics {
			t.Errorf("%s: metrics.jsonl was changed", name)
		}
	}
}

// A rate that changes every epoch does so too where --max_iters ends epochs
// early.
func TestTrainRateOfShortEpochs(t *testing.T) {
	f := makeTrainFixture(t)
	out := filepath.Join(t.TempDir(), "out")
	rate := "OPTIMIZER.learning_rate={name: PiecewiseDecay, boundaries: [1], values: [0.25, 0.125]}"
	if code, _, stderr := command(t, "", f.args(out, "-o", rate, "-o", "epochs=2", "--max_iters", "1")...); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	metrics := figures(t, out)
	for _, want := range []string{`"lr":0.25,`, `"lr":0.125,`} {
		if strings.Count(metrics, want) != 1 {
			t.Errorf("want %s once in %s", want, metrics)
		}
	}
}

// figures is the text of metrics.jsonl.
func figures(t *testing.T, out string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(out, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
