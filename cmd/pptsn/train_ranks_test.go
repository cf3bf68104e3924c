package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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

// What rank 0 finds wrong ends the run before it has begun, once, with the exit
// code of one process.
func TestTrainRanksRefused(t *testing.T) {
	f := makeTrainFixture(t)
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"clips absent":          {[]string{"-o", "DATASET.train.data_prefix=" + t.TempDir()}, exitFailed, "13 of 13 clips"},
		"wrong command line":    {[]string{"-o", "resume_epoch=1", "-w", "a.pdparams", "--max_restarts", "3"}, exitUsage, "leave out -w"},
		"more than there is":    {[]string{"-o", "DATASET.batch_size=7"}, exitFailed, "for each of 2 ranks"},
		"no whole accumulation": {[]string{"-o", "GRADIENT_ACCUMULATION={global_batch_size: 4}"}, exitFailed, "2 processes"},
	} {
		out := t.TempDir()
		code, stdout, stderr, _ := outputs(t, child(t, nil, f.args(out, append(tc.args, "--nproc", "2")...)...), out)
		if code != tc.code || strings.Count(stderr, tc.want) != 1 || stdout != "" {
			t.Errorf("%s: exit code %d, want %d and once %q: %s", name, code, tc.code, tc.want, stderr)
		}
	}
}

// SIGTERM to the launcher: all save and end; --resume goes on to the bytes of a
// run that nobody disturbed.
func TestTrainRanksInterrupted(t *testing.T) {
	f := makeTrainFixture(t)
	args := []string{"--nproc", "2", "-o", "DATASET.batch_size=2", "-o", "epochs=2", "--timeout", "60s"}
	whole, out := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "out")
	if code, _, stderr, _ := outputs(t, child(t, nil, f.args(whole, args...)...), whole); code != 0 || !strings.Contains(stderr, "rank 0 of world 2, round 0 (2 processes on 1 host)\n") {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	cmd := child(t, nil, f.args(out, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if readUntil(stderr, "train step:") == "" {
		t.Fatal("no step")
	}
	for range 2 { // as timeout does
		cmd.Process.Signal(syscall.SIGTERM)
		time.Sleep(20 * time.Millisecond)
	}
	rest, _ := io.ReadAll(stderr)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitSignal || !strings.Contains(string(rest), "Asked to end: saved small_") {
		t.Fatalf("exit code %d: %s", code, rest)
	}
	code, _, text, _ := outputs(t, child(t, nil, f.args(out, append(args, "--resume")...)...), out)
	if code != 0 || !strings.Contains(text, "Resuming from small_") {
		t.Fatalf("resumed: exit code %d: %s", code, text)
	}
	if got, want := sums(t, out, "small_epoch_00002", "small_best"), sums(t, whole, "small_epoch_00002", "small_best"); got != want {
		t.Errorf("other bytes:\n%s\nwant\n%s", got, want)
	}
}

// A run goes on with another number of processes: figures of the epochs that are
// done stay, the others are counted anew.
func TestTrainRanksAnotherWorld(t *testing.T) {
	f := makeTrainFixture(t)
	out := filepath.Join(t.TempDir(), "out")
	args := f.args(out, "-o", "DATASET.batch_size=2", "-o", "epochs=2", "--timeout", "60s") // of 6 iterations
	if code, stderr := trainUntil(t, "epoch:[  2/2  ] train step:3 ", args...); code != exitSignal {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	code, _, stderr, _ := outputs(t, child(t, nil, append(args, "--nproc", "2", "--resume")...), out) // of 3
	if code != 0 || !strings.Contains(stderr, "number of processes is 2 where it was 1") || !strings.Contains(stderr, "epoch:[  2/2  ] train step:2 ") {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if figures := figures(t, out); strings.Count(figures, `"epoch":1`) != 8 || strings.Count(figures, `"epoch":2`) != 3 { // with averages
		t.Errorf("metrics.jsonl:\n%s", figures)
	}
}
