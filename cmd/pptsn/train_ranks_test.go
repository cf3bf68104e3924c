package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Two processes train to the end: files as usual, output of each in its log, the
// terminal is rank 0's.
func TestTrainRanks(t *testing.T) {
	f := makeTrainFixture(t)
	dir := t.TempDir()
	out, logs := filepath.Join(dir, "out"), filepath.Join(dir, "logs")
	cmd := child(t, nil, f.args(out, "-o", "DATASET.batch_size=2", "--timeout", "60s", "--nproc", "2", "--log_dir", logs, "-o", "epochs=2", "--sync_bn", "--scale_lr", "--bucket_mb", "4")...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	if want := filepath.Join(out, "small_best.pdparams") + "\n"; stdout.String() != want {
		t.Errorf("stdout %q, want %q", &stdout, want)
	}
	for _, want := range []string{"rank 0 of world 2", "epoch:[  2/2  ] train step:2", "END epoch:2   val loss_avg: ", "lr: 0.015000"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("the terminal lacks %q: %s", want, &stderr)
		}
	}
	if strings.Contains(stderr.String(), "rank 1 of world 2") {
		t.Errorf("the terminal shows rank 1: %s", &stderr)
	}
	for name, want := range map[string]string{"worker.0": "rank 0 of world 2", "worker.1": "rank 1 of world 2"} {
		if b, err := os.ReadFile(filepath.Join(logs, name)); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s lacks %q: %v: %s", name, want, err, b)
		}
	}
	for _, name := range []string{"small.log", "metrics.jsonl", "small_epoch_00002.pptsn.json", "small_best.pdopt"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
}
