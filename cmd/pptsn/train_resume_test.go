package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A run that is interrupted anywhere and goes on writes the bytes of one that
// is not.
func TestTrainResumeIsExact(t *testing.T) {
	f := makeTrainFixture(t)
	whole := filepath.Join(t.TempDir(), "whole")
	if code, _, stderr := command(t, "", f.args(whole)...); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	want := sums(t, whole, "small_epoch_00001", "small_epoch_00003", "small_best")
	for _, stop := range []string{
		"epoch:[  1/3  ] train step:0 ",
		"epoch:[  2/3  ] train step:1 ",
		"epoch:[  2/3  ] train step:2 ", // the last of its epoch
		"END epoch:2   train",           // before its validation
		"END epoch:3   val",
	} {
		t.Run(stop, func(t *testing.T) {
			out := t.TempDir()
			code, stderr := trainUntil(t, stop, f.args(out)...)
			if code != exitSignal && !strings.Contains(stop, "3   val") {
				t.Fatalf("exit code %d, want %d: %s", code, exitSignal, stderr)
			}
			code, _, stderr = command(t, "", f.args(out, "--resume")...)
			if code != 0 {
				t.Fatalf("resumed: exit code %d: %s", code, stderr)
			}
			if got := sums(t, out, "small_epoch_00001", "small_epoch_00003", "small_best"); got != want {
				t.Errorf("other bytes:\n%s\nwant\n%s\n%s", got, want, stderr)
			}
			if got, want := losses(t, out), losses(t, whole); got != want {
				t.Errorf("metrics.jsonl:\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// losses are what metrics.jsonl says, without times.
func losses(t *testing.T, dir string) string {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []string
	for s := bufio.NewScanner(file); s.Scan(); {
		var m struct {
			Step, Epoch          int
			Split                string
			Loss, LR, Top1, Top5 float64
		}
		if err := json.Unmarshal(s.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%+v", m))
	}
	return strings.Join(all, "\n")
}

// kill -9 loses what was done since the last checkpoint, and nothing else.
func TestTrainKilled(t *testing.T) {
	f := makeTrainFixture(t)
	whole := filepath.Join(t.TempDir(), "whole")
	if code, _, stderr := command(t, "", f.args(whole)...); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	out := t.TempDir()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	kills := 0
	for range 60 {
		cmd := child(t, nil, f.args(out, "--resume", "--save_every", "1")...)
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Wait for a step, then some more: into the next step or its checkpoint.
		if line := readUntil(stderr, "train step:"); line != "" && kills < 6 {
			time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
			cmd.Process.Kill()
			kills++
		}
		rest, _ := io.ReadAll(stderr)
		if err := cmd.Wait(); err == nil {
			break
		} else if cmd.ProcessState.Exited() {
			t.Fatalf("%v: %s", err, rest)
		}
	}
	names := []string{"small_epoch_00003", "small_best"}
	if got, want := sums(t, out, names...), sums(t, whole, names...); got != want {
		t.Errorf("after %d kills other bytes:\n%s\nwant\n%s", kills, got, want)
	}
	left, _ := filepath.Glob(filepath.Join(out, ".*.tmp"))
	iters, _ := filepath.Glob(filepath.Join(out, "*_iter_*"))
	if kills == 0 || len(left)+len(iters) > 0 {
		t.Errorf("%d kills; left behind: %v %v", kills, left, iters)
	}
}

// readUntil reads to a line that holds text, and returns it; "" at the end.
func readUntil(r io.Reader, text string) string {
	for b := bufio.NewReader(r); ; {
		line, err := b.ReadString('\n')
		if strings.Contains(line, text) {
			return line
		}
		if err != nil {
			return ""
		}
	}
}

// resume_epoch=N goes on behind epoch N whatever came later, also from a pair
// of files without our own third one, as PaddleVideo leaves them.
func TestTrainResumeEpoch(t *testing.T) {
	f := makeTrainFixture(t)
	out := filepath.Join(t.TempDir(), "out")
	if code, _, stderr := command(t, "", f.args(out)...); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	want := sums(t, out, "small_epoch_00003")
	for _, foreign := range []bool{false, true} {
		if foreign {
			if err := os.Remove(filepath.Join(out, "small_epoch_00001.pptsn.json")); err != nil {
				t.Fatal(err)
			}
		}
		code, _, stderr := command(t, "", f.args(out, "-o", "resume_epoch=1")...)
		if code != 0 || !strings.Contains(stderr, "epoch:[  2/3  ] train step:0") || strings.Contains(stderr, "epoch:[  1/3  ] train step") {
			t.Fatalf("foreign %v: exit code %d: %s", foreign, code, stderr)
		}
		if got := sums(t, out, "small_epoch_00003"); got != want {
			t.Errorf("foreign %v: other bytes:\n%s\nwant\n%s", foreign, got, want)
		}
	}
}
