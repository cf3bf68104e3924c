package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// together are arguments of a run of small global batches: many iterations on
// few clips.
func (f trainFixture) together(out string, more ...string) []string {
	return f.args(out, append([]string{"--save_every", "1", "-o", "DATASET.batch_size=2", "-o", "epochs=8", "--timeout", "20s"}, more...)...)
}

var togetherNames = []string{"small_epoch_00001", "small_epoch_00008", "small_best"}

// A runner is the program in a process of its own, whose standard error is
// watched.
type runner struct {
	cmd   *exec.Cmd
	steps atomic.Int64 // lines of training steps so far
	text  bytes.Buffer // read it after wait
	read  chan struct{}
}

func startRunner(t *testing.T, cmd *exec.Cmd) *runner {
	t.Helper()
	r := &runner{cmd: cmd, read: make(chan struct{})}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	go func() {
		defer close(r.read)
		for b := bufio.NewReader(stderr); ; {
			line, err := b.ReadString('\n')
			r.text.WriteString(line)
			if strings.Contains(line, "train step:") {
				r.steps.Add(1)
			}
			if err != nil {
				io.Copy(&r.text, b)
				return
			}
		}
	}()
	return r
}

// await waits for so many steps, or the end.
func (r *runner) await(t *testing.T, steps int64) (running bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		select {
		case <-r.read:
			return false
		case <-time.After(5 * time.Millisecond):
		}
		if r.steps.Load() >= steps {
			return true
		}
	}
	t.Fatal("no more steps for two minutes")
	return false
}

func (r *runner) wait() (code int, text string) {
	<-r.read
	r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode(), r.text.String()
}

// workers are the processes of ranks below a launcher, by rank.
func workers(launcher int) map[int]int {
	found := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if b, _ := os.ReadFile(path); parentOf(string(b)) != launcher {
			continue
		}
		env, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		for v := range strings.SplitSeq(string(env), "\x00") {
			if rank, err := strconv.Atoi(strings.TrimPrefix(v, "RANK=")); err == nil && strings.HasPrefix(v, "RANK=") {
				found[rank] = pid
			}
		}
	}
	return found
}

// parentOf reads the parent's number in /proc/N/stat; 0 if there is none.
func parentOf(stat string) int {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

// Ranks are killed at random moments, again and again: the run goes on by itself
// and ends with the bytes of one that nobody disturbed.
func TestTrainKilledRanks(t *testing.T) {
	const kills = 20
	f := makeTrainFixture(t)
	whole := filepath.Join(t.TempDir(), "whole")
	if code, text := startRunner(t, child(t, nil, f.together(whole, "--nproc", "2")...)).wait(); code != 0 {
		t.Fatalf("undisturbed: exit code %d: %s", code, text)
	}
	out := t.TempDir()
	r := startRunner(t, child(t, nil, f.together(out, "--nproc", "2", "--max_restarts", fmt.Sprint(kills))...))
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	killed := map[int]int{}
	for i := 0; i < kills && r.await(t, r.steps.Load()+1); i++ {
		time.Sleep(time.Duration(rng.IntN(150)) * time.Millisecond)
		rank := i % 2
		if pid, ok := workers(r.cmd.Process.Pid)[rank]; ok && syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed[rank]++
		}
	}
	code, text := r.wait()
	if code != 0 {
		t.Fatalf("exit code %d after %v kills: %s", code, killed, text)
	}
	t.Logf("kills by rank: %v", killed)
	if killed[0] == 0 || killed[1] == 0 {
		t.Errorf("kills by rank: %v", killed)
	}
	if got, want := sums(t, out, togetherNames...), sums(t, whole, togetherNames...); got != want {
		t.Errorf("other bytes:\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(text, "Passed over a checkpoint") {
		t.Errorf("a checkpoint was unreadable: %s", text)
	}
}
