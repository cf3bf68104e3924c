package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/check"
)

// A checkFixture is a configuration with a list for training and one for both
// validation and test, and short clips.
func checkFixture(t *testing.T) (dir, config string) {
	t.Helper()
	dir = t.TempDir()
	for i, source := range []string{"testsrc2", "mandelbrot", "testsrc", "smptebars", "rgbtestsrc", "yuvtestsrc"} {
		ffmpeg(t, "-f", "lavfi", "-i", source+"=s=64x48:r=25", "-frames:v", "8", "-pix_fmt", "yuv420p", filepath.Join(dir, itoa(i)+".mp4"))
	}
	writeFile(t, filepath.Join(dir, "train.list"), "0.mp4 0\n1.mp4 0\n2.mp4 1\n3.mp4 1\n")
	writeFile(t, filepath.Join(dir, "val.list"), "4.mp4 0\n5.mp4 1\n")
	t.Setenv("PPTSN_CACHE", filepath.Join(dir, "cache"))
	return dir, writeFile(t, filepath.Join(dir, "my.yaml"), strings.ReplaceAll(trainConfig, "DIR", dir))
}

func TestCheckConfig(t *testing.T) {
	dir, config := checkFixture(t)
	out := filepath.Join(dir, "out")
	code, stdout, stderr := command(t, "", "check", "-c", config, "--output", out)
	if code != exitOK || !strings.Contains(stdout, "training may start (6 clips decoded") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	for _, want := range []string{
		"train.list (train): 4 clips of 2 classes, 32 frames", "val.list (valid+test): 2 clips of 2 classes, 16 frames",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("lacks %q: %s", want, stdout)
		}
	}
	// What is remembered is not decoded again; a fault is said and decides.
	if err := os.Truncate(filepath.Join(dir, "3.mp4"), 900); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ = command(t, "", "check", "-c", config, "--output", out, "--json")
	var s check.Summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	if code != exitFailed || s.Start || s.Errors != 1 || s.Decoded != 1 || s.Remembered != 5 {
		t.Errorf("exit code %d, %+v", code, s)
	}
	if b, err := os.ReadFile(filepath.Join(out, "summary.json")); err != nil || string(b) != stdout {
		t.Errorf("summary.json is %s, %v", b, err)
	}
	code, stdout, _ = command(t, "", "check", "-c", config, "--output", out, "--allow", "unreadable,truncated", "--use", "train")
	if code != exitOK || !strings.Contains(stdout, "training may start: ") || strings.Contains(stdout, "val.list") {
		t.Errorf("allowed: exit code %d: %s", code, stdout)
	}
	code, stdout, _ = command(t, "", "check", "-c", config, "--output", out, "--quick", "-o", "MODEL.head.num_classes=1")
	if code != exitFailed || strings.Count(stdout, "error label-range: 3") != 1 || !strings.Contains(stdout, "no file was decoded") {
		t.Errorf("quick: exit code %d: %s", code, stdout)
	}
}

func TestCheckLists(t *testing.T) {
	dir, _ := checkFixture(t)
	list := func(name string) string { return filepath.Join(dir, name) }
	code, stdout, _ := command(t, "", "check", "--prefix", dir, "--output", list("out"), "--min-frames", "9", "--test", list("val.list"), "--train", list("train.list"))
	if code != exitFailed || !strings.Contains(stdout, "error too-short: 6") || !strings.Contains(stdout, "val.list (test)") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	code, stdout, _ = command(t, "", "check", "--prefix", dir, "--output", list("out"), "--strict", list("train.list"), list("train.list"))
	if code != exitFailed || !strings.Contains(stdout, "error leak: 4") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// An interrupted check says where its findings are, and ends with 130.
func TestCheckCancel(t *testing.T) {
	dir, config := checkFixture(t)
	if err := os.Remove(filepath.Join(dir, "0.mp4")); err != nil {
		t.Fatal(err)
	}
	// Decoding all of these with one worker takes much longer than a second.
	writeFile(t, filepath.Join(dir, "train.list"), "0.mp4 0\n"+strings.Repeat("1.mp4 0\n", 8000))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := filepath.Join(dir, "out")
	time.AfterFunc(time.Second, cancel)
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"check", "-c", config, "--no-cache", "--num_workers", "1", "--output", out}, strings.NewReader(""), &stdout, &stderr)
	left := filepath.Join(out, "bad.jsonl.partial")
	if code != exitSignal || stdout.Len() > 0 || !strings.Contains(stderr.String(), "what was found so far is in "+left) {
		t.Errorf("exit code %d: %s%s", code, &stdout, &stderr)
	}
	if b, err := os.ReadFile(left); err != nil || !strings.Contains(string(b), `"kind":"missing"`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestCheckUsage(t *testing.T) {
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitUsage, "check needs -c CONFIG or lists"},
		{[]string{"-c", "a.yaml", "b.list"}, exitUsage, "not both"},
		{[]string{"--use", "train", "b.list"}, exitUsage, "--config"},
		{[]string{"--pattern", "x", "b.list"}, exitUsage, "--pattern"},
		{[]string{"--timeout", "-1s", "b.list"}, exitUsage, "--timeout"},
		{[]string{"none.list"}, exitFailed, "none.list: no such file"},
		{[]string{"--allow", "leeks", os.Args[0]}, exitFailed, `"leeks": want one of`},
		{[]string{"-c", "none.yaml"}, exitFailed, "none.yaml"},
	} {
		code, _, stderr := command(t, "", append([]string{"check", "--output", filepath.Join(t.TempDir(), "out")}, tc.args...)...)
		if code != tc.code || !strings.Contains(stderr, tc.want) {
			t.Errorf("%q: exit code %d, %s; want %d, %q", tc.args, code, stderr, tc.code, tc.want)
		}
	}
}
