package launch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/launch"
)

// patience bounds the waits of tests; only failing ones wait so long.
const patience = time.Minute

// eventually waits for a condition.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not for %v", what, patience)
		}
	}
}

// A run is a job that runs beside the test.
type run struct {
	*launch.Job
	dir    string
	cancel context.CancelFunc
	done   chan error

	mu    sync.Mutex
	lines []string
}

func single(procs int) launch.Topology {
	return launch.Topology{Nodes: 1, MinNodes: 1, Procs: procs, Master: "127.0.0.1"}
}

// start runs a job until the test ends.
func start(t *testing.T, j *launch.Job) *run {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{Job: j, cancel: cancel, done: make(chan error, 1)}
	for _, e := range j.Env {
		if d, ok := strings.CutPrefix(e, "LAUNCH_TEST_DIR="); ok {
			r.dir = d
		}
	}
	if j.Host == "" {
		j.Host = fmt.Sprintf("host%d", j.NodeRank)
	}
	j.Log = func(format string, args ...any) {
		line := fmt.Sprintf(format, args...)
		t.Logf("%s: %s", j.Host, line)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lines = append(r.lines, line)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); r.done <- j.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return r
}

// said says whether a line with all of these parts was logged.
func (r *run) said(parts ...string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(l, p)
		}
		if all {
			return true
		}
	}
	return false
}

// wait is the result of Run.
func (r *run) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.done:
		r.done <- err
		return err
	case <-time.After(patience):
		t.Fatalf("%s: Run has not returned for %v", r.Host, patience)
		return nil
	}
}

// reports waits for the first n workers of a round.
func reports(t *testing.T, dir string, round, n int) []report {
	t.Helper()
	list := make([]report, n)
	for rank := range list {
		path := filepath.Join(dir, fmt.Sprintf("%d.%d", round, rank))
		eventually(t, fmt.Sprintf("rank %d in round %d", rank, round), func() bool {
			data, err := os.ReadFile(path)
			return err == nil && json.Unmarshal(data, &list[rank]) == nil
		})
	}
	return list
}

// tell makes workers do something: name is do, do.ROUND or do.ROUND.RANK.
func tell(t *testing.T, dir, name string, lines ...string) {
	t.Helper()
	if err := put(filepath.Join(dir, name), strings.Join(lines, "\n")); err != nil {
		t.Fatal(err)
	}
}

// gone says whether no process has the number; one that nobody has waited for
// yet is gone.
func gone(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(data), ") ")
	return strings.HasPrefix(after, "Z")
}

func allGone(list []report) bool {
	for _, r := range list {
		if !gone(r.Pid) {
			return false
		}
	}
	return true
}

func TestJobGivesPlaces(t *testing.T) {
	dir := t.TempDir()
	j := newJob(dir, single(3))
	j.Devices = []int{4, 2, 7}
	t.Setenv("CUDA_VISIBLE_DEVICES", "")
	r := start(t, j)
	for i, w := range reports(t, dir, 0, 3) {
		if w.Rank != i || w.LocalRank != i || w.Size != 3 || w.LocalSize != 3 || !w.Launched || w.Serve || w.Port == 0 || w.Master != "127.0.0.1" {
			t.Errorf("rank %d has %+v", i, w.World)
		}
		if want := []string{"4", "2", "7"}[i]; w.Devices != want {
			t.Errorf("rank %d sees device %q, want %s", i, w.Devices, want)
		}
	}
	tell(t, dir, "do", "exit 0")
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
}

func TestJobFirstFailureEndsAll(t *testing.T) {
	dir := t.TempDir()
	r := start(t, newJob(dir, single(3)))
	list := reports(t, dir, 0, 3)
	tell(t, dir, "do.0.1", "line 1", "cannot read clip.mp4", "exit 3")
	err := r.wait(t)
	var f *launch.Failure
	if !errors.As(err, &f) || f.Rank != 1 || f.Code != 3 || f.Pid != list[1].Pid {
		t.Fatalf("got %v", err)
	}
	want := fmt.Sprintf("launch: rank 1 (host0, pid %d) failed: exit status 3; its last lines:\n    rank 1 of 3 in round 0\n    line 1\n    cannot read clip.mp4", f.Pid)
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if !allGone(list) {
		t.Error("a worker is left")
	}
}

func TestConcurrentWorkersRestart(t *testing.T) {
	dir := t.TempDir()
	j := newJob(dir, single(3))
	j.MaxRestarts = 2
	r := start(t, j)
	for round := range 2 {
		list := reports(t, dir, round, 3)
		syscall.Kill(list[round].Pid, syscall.SIGKILL)
		if next := reports(t, dir, round+1, 3); next[2].Rank != 2 || next[2].Size != 3 {
			t.Errorf("round %d: rank 2 has %+v", round+1, next[2].World)
		}
		if !allGone(list) {
			t.Errorf("a worker of round %d is left", round)
		}
	}
	if !r.said("round 2: restarting 3 processes after rank 1 (host0, pid ", ") failed: killed by signal 9: out of memory? see dmesg; 0 restarts left") {
		t.Error("no line about the restart")
	}
	list := reports(t, dir, 2, 3)
	syscall.Kill(list[2].Pid, syscall.SIGKILL)
	var f *launch.Failure
	if err := r.wait(t); !errors.As(err, &f) || f.Rank != 2 || f.Signal != syscall.SIGKILL || f.Round != 2 {
		t.Errorf("got %v", err)
	}
}

// What a variable cannot hold does not keep workers from starting.
func TestConcurrentWhyOfAnOddHost(t *testing.T) {
	dir := t.TempDir()
	j := newJob(dir, single(1))
	j.MaxRestarts, j.Host = 1, "a\x00b"
	r := start(t, j)
	syscall.Kill(reports(t, dir, 0, 1)[0].Pid, syscall.SIGKILL)
	if w := reports(t, dir, 1, 1)[0]; !strings.HasPrefix(w.Why, "restarting 1 process after rank 0 (a?b, pid ") {
		t.Errorf("why is %q", w.Why)
	}
	tell(t, dir, "do", "exit 0")
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
}

func TestJobDoesNotRepeatWrongCommandLine(t *testing.T) {
	dir := t.TempDir()
	j := newJob(dir, single(2))
	j.MaxRestarts = 5
	r := start(t, j)
	reports(t, dir, 0, 2)
	tell(t, dir, "do", "unknown flag", "exit 2")
	var f *launch.Failure
	if err := r.wait(t); !errors.As(err, &f) || f.Code != 2 || f.Round != 0 {
		t.Errorf("got %v", err)
	}
}

func TestCancelJob(t *testing.T) {
	dir := t.TempDir()
	r := start(t, newJob(dir, single(2)))
	list := reports(t, dir, 0, 2)
	r.cancel()
	if err := r.wait(t); !errors.Is(err, launch.ErrInterrupted) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if !allGone(list) {
		t.Error("a worker is left")
	}
}

// A worker that cannot save says so, and is not started again.
func TestCancelJobThatCannotSave(t *testing.T) {
	dir := t.TempDir()
	tell(t, dir, "save", "no space left on device", "exit 1")
	j := newJob(dir, single(1))
	j.MaxRestarts = 1
	r := start(t, j)
	reports(t, dir, 0, 1)
	r.cancel()
	err := r.wait(t)
	var f *launch.Failure
	if !errors.Is(err, launch.ErrInterrupted) || !errors.As(err, &f) || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("got %v", err)
	}
}

// SIGTERM to one worker is meant for all.
func TestCancelWorker(t *testing.T) {
	dir := t.TempDir()
	j := newJob(dir, single(2))
	j.MaxRestarts = 1
	r := start(t, j)
	syscall.Kill(reports(t, dir, 0, 2)[1].Pid, syscall.SIGTERM)
	if err := r.wait(t); !errors.Is(err, launch.ErrInterrupted) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "saved.0.0")); err != nil {
		t.Error("rank 0 was not asked to save:", err)
	}
}

func TestCancelDeafWorkers(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(r *run)
		want error
	}{
		{"interrupted", func(r *run) { r.cancel() }, launch.ErrInterrupted},
		{"failed", func(r *run) { tell(t, r.dir, "do.0.0", "exit 1") }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			j := newJob(dir, single(2))
			j.Env = append(j.Env, "LAUNCH_TEST_DEAF=1")
			j.Grace, j.Saving = 50*time.Millisecond, 50*time.Millisecond
			r := start(t, j)
			list := reports(t, dir, 0, 2)
			tc.end(r)
			err := r.wait(t)
			var f *launch.Failure
			if tc.want != nil && !errors.Is(err, tc.want) || tc.want == nil && (!errors.As(err, &f) || f.Rank != 0) {
				t.Errorf("got %v", err)
			}
			if late := "asked to save, had not ended in time"; strings.Contains(err.Error(), late) != (tc.want != nil) {
				t.Errorf("got %v, which says %q of those who were to save alone", err, late)
			}
			if !allGone(list) {
				t.Error("a worker is left")
			}
		})
	}
}

func TestLogs(t *testing.T) {
	dir, logs := t.TempDir(), filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(logs, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(logs, "worker.1"), []byte("of another run\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	j := newJob(dir, single(2))
	j.LogDir, j.MaxRestarts = logs, 1
	var stdout, stderr strings.Builder
	j.Stdout, j.Stderr = &stdout, &stderr
	r := start(t, j)
	reports(t, dir, 0, 2)
	tell(t, dir, "do.0.1", "no memory", "exit 1")
	reports(t, dir, 1, 2)
	tell(t, dir, "do.1.0", "all done")
	tell(t, dir, "do.1.1", "a line without end")
	if err := r.wait(t); err != nil {
		t.Fatal(err)
	}
	if got, want := stdout.String(), "rank 0 of 2 in round 0\nrank 0 of 2 in round 1\n"; got != want {
		t.Errorf("stdout: %q, want %q", got, want)
	}
	if got, want := stderr.String(), "all done\n"; got != want {
		t.Errorf("stderr: %q, want %q", got, want)
	}
	for rank, want := range []string{
		"rank 0 of 2 in round 0\n--- round 1, TIME\nrank 0 of 2 in round 1\nall done\n",
		"rank 1 of 2 in round 0\nno memory\n--- round 1, TIME\nrank 1 of 2 in round 1\na line without end\n",
	} {
		data, err := os.ReadFile(filepath.Join(logs, fmt.Sprintf("worker.%d", rank)))
		if err != nil {
			t.Fatal(err)
		}
		got := regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`).ReplaceAllString(string(data), "TIME")
		if got != want {
			t.Errorf("worker.%d: %q, want %q", rank, got, want)
		}
	}
}

// Go ends with status 2 after a panic, too, which is no wrong command line. The
// head of the stack trace says what happened, and its end nothing.
func TestCrashes(t *testing.T) {
	dir := t.TempDir()
	j := newJob(dir, single(1))
	j.MaxRestarts = 1
	r := start(t, j)
	reports(t, dir, 0, 1)
	tell(t, dir, "do", "crash")
	var f *launch.Failure
	err := r.wait(t)
	if !errors.As(err, &f) || f.Round != 1 || !f.Crash || !strings.Contains(err.Error(), "panic: a mistake in a worker") {
		t.Errorf("got %v", err)
	}
}

func TestCommandThatDoesNotStart(t *testing.T) {
	j := newJob(t.TempDir(), single(2))
	j.Command, j.MaxRestarts = []string{"/nowhere/pptsn"}, 3
	var f *launch.Failure
	if err := start(t, j).wait(t); !errors.As(err, &f) || f.Round != 0 || !strings.Contains(err.Error(), "rank 0 (host0) could not be started: ") {
		t.Errorf("got %v", err)
	}
}

func TestDeviceThatIsNotVisible(t *testing.T) {
	t.Setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
	dir := t.TempDir()
	j := newJob(dir, single(1))
	j.Devices = []int{1}
	r := start(t, j)
	if w := reports(t, dir, 0, 1)[0]; w.Devices != "GPU-b" {
		t.Errorf("the second device of two is %q", w.Devices)
	}
	r.cancel()
	j = newJob(t.TempDir(), single(1))
	j.Devices = []int{2}
	if err := start(t, j).wait(t); err == nil || !strings.Contains(err.Error(), "device 2: CUDA_VISIBLE_DEVICES=GPU-a,GPU-b shows 2") {
		t.Errorf("got %v", err)
	}
}
