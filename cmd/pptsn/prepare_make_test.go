package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/prepare"
)

// someVideos makes a folder of a few small videos and two lists.
func someVideos(t *testing.T) (dir string, args []string) {
	t.Helper()
	dir = t.TempDir()
	var train, val strings.Builder
	for i := range 12 {
		name := fmt.Sprintf("class %d/clip%02d.mp4", i%3, i)
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if i < 3 {
			cmd := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi",
				"-i", fmt.Sprintf("testsrc2=size=160x120:rate=25,hue=h=%d", 90*i), "-frames:v", "40", "-pix_fmt", "yuv420p", "-preset", "ultrafast", path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Skipf("no ffmpeg tool to make videos with: %v: %s", err, out)
			}
		} else if err := os.Link(filepath.Join(dir, fmt.Sprintf("class %d/clip%02d.mp4", i%3, i%3)), path); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&train, "%s %d\n", name, i%3)
		if i%4 == 0 {
			fmt.Fprintf(&val, "%s %d\n", name, i%3)
		}
	}
	return dir, []string{
		"--list", writeFile(t, filepath.Join(dir, "train.list"), train.String()),
		"--list", writeFile(t, filepath.Join(dir, "val.list"), val.String()), "--prefix", dir,
	}
}

// hashes is the name and hash of each file below a folder.
func hashes(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if e.IsDir() {
			all = append(all, rel+"/")
			return nil
		}
		b, err := os.ReadFile(path)
		all = append(all, fmt.Sprintf("%s %x", rel, sha256.Sum256(b)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

// kill -9 loses what was half done, and nothing else.
func TestPrepareKilled(t *testing.T) {
	_, args := someVideos(t)
	for _, what := range []string{"frames", "compact"} {
		t.Run(what, func(t *testing.T) {
			whole, out := t.TempDir(), t.TempDir()
			begin := time.Now()
			code, _, stderr := command(t, "", append([]string{"prepare", what, "-o", whole, "--num_workers", "2"}, args...)...)
			took := time.Since(begin)
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
			kills, halves := 0, 0
			for n := range 6 {
				cmd := child(t, nil, append([]string{"prepare", what, "-o", out, "--num_workers", "2"}, args...)...)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				await(filepath.Join(out, "*", "clip*"), n+1) // so that something is kept
				time.Sleep(time.Duration(rng.Int64N(int64(took)/6 + 1)))
				cmd.Process.Kill()
				if cmd.Wait() != nil && !cmd.ProcessState.Exited() {
					kills++
				}
				left, _ := filepath.Glob(filepath.Join(out, "*", ".*.pptsn-tmp"))
				halves += len(left)
			}
			code, stdout, stderr := command(t, "", append([]string{"prepare", what, "-o", out}, args...)...)
			if code != 0 {
				t.Fatalf("after %d kills: exit code %d: %s", kills, code, stderr)
			}
			if got, want := hashes(t, out), hashes(t, whole); got != want {
				t.Errorf("after %d kills:\n%s\nwant\n%s", kills, got, want)
			}
			t.Logf("%d kills left %d half made", kills, halves)
			if kills == 0 || !strings.Contains(stdout, "12 videos: ") || strings.Contains(stdout, " 0 there already") {
				t.Errorf("%d runs were killed, then: %s", kills, stdout)
			}
		})
	}
}

// await waits until n files fit the pattern, but no longer than a minute.
func await(pattern string, n int) {
	for range 60 * 1000 {
		if found, _ := filepath.Glob(pattern); len(found) >= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestPrepareCancel(t *testing.T) {
	_, args := someVideos(t)
	out := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		await(filepath.Join(out, "*", "clip*"), 2)
		cancel()
	}()
	var stdout, stderr strings.Builder
	code := run(ctx, append([]string{"prepare", "frames", "-o", out}, args...), strings.NewReader(""), &stdout, &stderr)
	if code != exitSignal || stdout.Len() != 0 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit code %d: %s%s", code, stdout.String(), stderr.String())
	}
	left, _ := filepath.Glob(filepath.Join(out, "*", ".*"))
	lists, _ := filepath.Glob(filepath.Join(out, "*.list"))
	if len(left)+len(lists) > 0 {
		t.Errorf("left: %v %v", left, lists)
	}
}

func TestPrepareFramesOutput(t *testing.T) {
	dir, args := someVideos(t)
	writeFile(t, filepath.Join(dir, "bad.mp4"), "text")
	out, lists := t.TempDir(), t.TempDir()
	code, stdout, stderr := command(t, "", append([]string{"prepare", "frames", "-o", out, "--lists", lists, "--every", "3", "--json"}, args...)...)
	var s prepare.Summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	if s.Videos != 12 || s.Made != 12 || s.Pictures != 12*14 || len(s.Lists) != 2 {
		t.Errorf("%+v", s)
	}
	val, _ := os.ReadFile(filepath.Join(lists, "val_frames.list"))
	if want := "class 0/clip00 14 0\nclass 1/clip04 14 1\nclass 2/clip08 14 2\n"; string(val) != want {
		t.Errorf("%q, want %q", val, want)
	}
	out = t.TempDir()
	code, stdout, stderr = command(t, "", "prepare", "compact", dir, "-o", out)
	if code != exitFailed || !strings.Contains(stderr, "bad.mp4: ") || !strings.Contains(stdout, "13 videos: 12 made, 0 there already, 1 failed") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(filepath.Join(out, "class 2/clip11.mp4")); err != nil {
		t.Error(err)
	}
}

func TestPrepareMakeUsage(t *testing.T) {
	for _, tc := range []struct {
		args string
		want string
	}{
		{"frames --list a.list", "-o"},
		{"frames -o out", "--list"},
		{"frames videos -o out --list a.list", "not both"},
		{"frames videos more -o out", "one folder"},
		{"frames videos -o out --prefix x", "--prefix"},
		{"frames videos -o out --quality 0", "--quality 0"},
		{"frames videos -o out --every 0", "--every 0"},
		{"frames videos -o out --num_workers -1", "--num_workers -1"},
		{"compact videos -o out --crf 52", "--crf 52"},
		{"compact videos -o out --gop 0", "--gop 0"},
		{"compact videos -o out --gop 65537", "--gop 65537"},
		{"compact videos -o out --short-side 1", "--short-side 1"},
	} {
		code, stdout, stderr := command(t, "", append([]string{"prepare"}, strings.Fields(tc.args)...)...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, tc.want) {
			t.Errorf("%s: exit code %d, %s, want %q", tc.args, code, stderr, tc.want)
		}
	}
	if code, _, stderr := command(t, "", "prepare", "frames", "absent", "-o", t.TempDir()); code != exitFailed || !strings.Contains(stderr, "absent") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Its README says that its 80 frames decode without a fault, 40 of them in
// another size.
func TestPrepareSaysWhatWasScaled(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	list := writeFile(t, filepath.Join(t.TempDir(), "one.list"), "gen-resolution-change.ts 0\n")
	code, _, stderr := command(t, "", "prepare", "frames", "--list", list, "--prefix", dir, "-o", t.TempDir(), "--short-side", "32")
	if code != 0 || !strings.Contains(stderr, "frames of another size than the first were scaled to that: 40 of 80") || strings.Contains(stderr, "damaged") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
