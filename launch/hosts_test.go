package launch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/launch"
)

// hosts are the topologies of launchers with so many processes each.
func hosts(t *testing.T, minimum int, procs ...int) []launch.Topology {
	port := testdata.FreePort(t)
	list := make([]launch.Topology, len(procs))
	for i, n := range procs {
		list[i] = launch.Topology{Nodes: len(procs), MinNodes: minimum, NodeRank: i, Procs: n, Master: "127.0.0.1", Port: port}
	}
	return list
}

func startAll(t *testing.T, dir string, list []launch.Topology, change func(*launch.Job)) []*run {
	t.Helper()
	var runs []*run
	for _, h := range list {
		j := newJob(dir, h)
		if change != nil {
			change(j)
		}
		runs = append(runs, start(t, j))
	}
	return runs
}

// A child is a launcher in a process of its own.
type child struct {
	cmd    *exec.Cmd
	mu     sync.Mutex
	output bytes.Buffer
}

func (c *child) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.output.Write(p)
}

func (c *child) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.output.String()
}

// startChild starts a launcher that can be killed.
func startChild(t *testing.T, dir string, h launch.Topology, withTorch bool) *child {
	t.Helper()
	j := newJob(dir, h)
	data, err := json.Marshal(childJob{h, j.Timing, dir, fmt.Sprintf("host%d", h.NodeRank), withTorch})
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), "LAUNCH_TEST=launcher", "LAUNCH_TEST_JOB="+string(data))
	c.cmd.Stdout, c.cmd.Stderr = c, c
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.cmd.Wait()
		t.Logf("launcher of host%d:\n%s", h.NodeRank, c)
	})
	return c
}

func TestConcurrentHostsShareRanks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runs := startAll(t, dir, hosts(t, 3, 2, 1, 3), nil)
	locals := []int{0, 1, 0, 0, 1, 2}
	sizes := []int{2, 2, 1, 3, 3, 3}
	for i, w := range reports(t, dir, 0, 6) {
		if w.Rank != i || w.Size != 6 || w.LocalRank != locals[i] || w.LocalSize != sizes[i] || w.Port != runs[0].Port {
			t.Errorf("rank %d has %+v", i, w.World)
		}
	}
	tell(t, dir, "do", "exit 0")
	for _, r := range runs {
		if err := r.wait(t); err != nil {
			t.Error(r.Host, err)
		}
	}
}

func TestConcurrentHostsFailTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runs := startAll(t, dir, hosts(t, 3, 1, 2, 1), func(j *launch.Job) { j.MaxRestarts = 1 })
	for round := range 2 {
		list := reports(t, dir, round, 4)
		syscall.Kill(list[2].Pid, syscall.SIGKILL)
		eventually(t, "end of the round", func() bool { return allGone(list) })
	}
	for _, r := range runs {
		var f *launch.Failure
		if err := r.wait(t); !errors.As(err, &f) || f.Rank != 2 || f.Host != "host1" || f.Signal != syscall.SIGKILL || f.Round != 1 {
			t.Errorf("%s: got %v", r.Host, err)
		}
		if !r.said("round 1: restarting 4 processes after rank 2 (host1, pid", "0 restarts left") {
			t.Errorf("%s said nothing about the restart", r.Host)
		}
	}
}

// A worker that was killed takes others along, on other hosts even before its
// own launcher has seen it.
func TestConcurrentHostsBlameTheKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runs := startAll(t, dir, hosts(t, 2, 2, 1), func(j *launch.Job) {
		j.Env = append(j.Env, "LAUNCH_TEST_DEAF=1") // so that all live until the kill
	})
	list := reports(t, dir, 0, 3)
	tell(t, dir, "do.0.0", "connection reset by peer", "exit 1")
	eventually(t, "end of rank 0", func() bool { return gone(list[0].Pid) })
	syscall.Kill(list[2].Pid, syscall.SIGKILL)
	tell(t, dir, "do.0.1", "exit 1")
	for _, r := range runs {
		var f *launch.Failure
		if err := r.wait(t); !errors.As(err, &f) || f.Rank != 2 {
			t.Errorf("%s: got %v", r.Host, err)
		}
	}
}

func TestLauncherTakesWorkersAlong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startChild(t, dir, single(2), false)
	list := reports(t, dir, 0, 2)
	c.cmd.Process.Kill()
	c.cmd.Wait()
	eventually(t, "end of the workers", func() bool { return allGone(list) })
}

// A launcher that is stopped for a while, as by Ctrl-Z, has lost nobody.
func TestLauncherThatSlept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startChild(t, dir, single(1), false)
	reports(t, dir, 0, 1)
	c.cmd.Process.Signal(syscall.SIGSTOP)
	time.Sleep(5 * time.Second) // longer than Timing.Lost
	c.cmd.Process.Signal(syscall.SIGCONT)
	tell(t, dir, "do", "exit 0")
	if err := c.cmd.Wait(); err != nil || strings.Contains(c.String(), "silent") {
		t.Errorf("got %v, %s", err, c)
	}
}

// A host that is lost comes back with another number of processes. No restart
// is used up, though workers elsewhere fail with it.
func TestConcurrentHostComesBack(t *testing.T) {
	t.Parallel()
	for _, quick := range []bool{true, false} {
		t.Run(fmt.Sprintf("quick=%v", quick), func(t *testing.T) {
			dir := t.TempDir()
			list := hosts(t, 2, 2, 1)
			r := start(t, newJob(dir, list[0]))
			c := startChild(t, dir, list[1], false)
			workers := reports(t, dir, 0, 3)
			c.cmd.Process.Kill()
			c.cmd.Wait()
			eventually(t, "end of the host", func() bool { return gone(workers[2].Pid) })
			if !quick {
				tell(t, dir, "do.0.1", "connection reset by peer", "exit 1")
				eventually(t, "loss of the host", func() bool { return r.said("waiting for node 1; there are host0 (node 0)") })
			}
			list[1].Procs = 3
			startChild(t, dir, list[1], false)
			if w := reports(t, dir, 1, 5)[4]; w.Size != 5 || w.LocalSize != 3 || w.LocalRank != 2 {
				t.Errorf("rank 4 has %+v", w.World)
			}
			if !r.said("round 1: going on with 5 processes on 2 hosts") {
				t.Error("no line about the new round")
			}
			tell(t, dir, "do", "exit 0")
			if err := r.wait(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// A launcher that slept, as a virtual machine that is moved, while another took
// its place.
func TestConcurrentHostThatSlept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := hosts(t, 2, 1, 1)
	r := start(t, newJob(dir, list[0]))
	c := startChild(t, dir, list[1], false)
	workers := reports(t, dir, 0, 2)
	c.cmd.Process.Signal(syscall.SIGSTOP)
	startChild(t, dir, list[1], false)
	reports(t, dir, 1, 2)
	c.cmd.Process.Signal(syscall.SIGCONT)
	if err := c.cmd.Wait(); err == nil || !strings.Contains(c.String(), "the launcher of node 1 on host1 has taken over") {
		t.Errorf("got %v, %s", err, c)
	}
	if !allGone(workers) {
		t.Error("a worker is left")
	}
	tell(t, dir, "do", "exit 0")
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
}

// The launcher that keeps the store is lost and comes back.
func TestConcurrentHostZeroComesBack(t *testing.T) {
	t.Parallel()
	for _, withTorch := range []bool{false, true} {
		t.Run(fmt.Sprintf("torch=%v", withTorch), func(t *testing.T) {
			dir := t.TempDir()
			list := hosts(t, 2, 1, 2)
			j := newJob(dir, list[1])
			if withTorch {
				needTorch(t)
				j.Open = openTorch
			}
			c := startChild(t, dir, list[0], withTorch)
			r := start(t, j)
			workers := reports(t, dir, 0, 3)
			c.cmd.Process.Kill()
			c.cmd.Wait()
			eventually(t, "end of all workers", func() bool { return allGone(workers) })
			c = startChild(t, dir, list[0], withTorch)
			reports(t, dir, 1, 3)
			tell(t, dir, "do", "exit 0")
			if err := r.wait(t); err != nil {
				t.Error(err)
			}
			if err := c.cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A cable is a store's connection that can be cut.
type cable struct {
	launch.Store
	cut *atomic.Bool
}

var errCut = errors.New("no route to host")

func (c cable) Set(key string, value []byte) error {
	if c.cut.Load() {
		return errCut
	}
	return c.Store.Set(key, value)
}

func (c cable) Add(key string, n int64) (int64, error) {
	if c.cut.Load() {
		return 0, errCut
	}
	return c.Store.Add(key, n)
}

func (c cable) Has(keys ...string) (bool, error) {
	if c.cut.Load() {
		return false, errCut
	}
	return c.Store.Has(keys...)
}

// wired is a job that can be cut off.
func wired(dir string, h launch.Topology) (*launch.Job, *atomic.Bool) {
	j, cut := newJob(dir, h), new(atomic.Bool)
	j.Open = func(ctx context.Context, a launch.StoreAddress) (launch.Store, error) {
		if cut.Load() {
			return nil, errCut
		}
		s, err := openStore(ctx, a)
		return cable{s, cut}, err
	}
	return j, cut
}

// A host that is cut off ends its workers, and all go on when it is back.
func TestConcurrentHostCutOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := hosts(t, 2, 1, 1)
	r := start(t, newJob(dir, list[0]))
	j, cut := wired(dir, list[1])
	start(t, j)
	workers := reports(t, dir, 0, 2)
	cut.Store(true)
	eventually(t, "end of the workers", func() bool { return allGone(workers) })
	eventually(t, "loss of the host", func() bool {
		return r.said("round 0: host1 (node 1) has been silent for 4s") && r.said("waiting for node 1; there are host0 (node 0)")
	})
	cut.Store(false)
	reports(t, dir, 1, 2)
	tell(t, dir, "do", "exit 0")
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
}

func TestConcurrentHostsElastic(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := hosts(t, 1, 1, 2, 1)
	r0 := start(t, newJob(dir, list[0]))
	if w := reports(t, dir, 0, 1)[0]; w.Size != 1 {
		t.Errorf("alone: %+v", w.World)
	}

	c := startChild(t, dir, list[1], false) // a host joins: all save and begin again
	if w := reports(t, dir, 1, 3)[2]; w.Size != 3 || w.LocalRank != 1 || w.Why != "host1 (node 1) joined: going on with 3 processes on 2 hosts" {
		t.Errorf("with a second host: %+v", w.World)
	}
	if _, err := os.Stat(filepath.Join(dir, "saved.0.0")); err != nil {
		t.Error("rank 0 was not asked to save:", err)
	}
	if !r0.said("round 0: host1 (node 1) joins: all save and begin again") || !r0.said("round 1: host1 (node 1) joined: going on with 3 processes on 2 hosts") {
		t.Error("nothing was said of the host that joined")
	}

	r2 := start(t, newJob(dir, list[2]))
	before := reports(t, dir, 2, 4)

	c.cmd.Process.Kill() // a host is lost: the others go on
	c.cmd.Wait()
	if w := reports(t, dir, 3, 2)[1]; w.Size != 2 || !r0.said("round 3: going on with 2 processes on 2 hosts") {
		t.Errorf("after a loss: %+v", w.World)
	}
	if !allGone(before) {
		t.Error("a worker of the round before is left")
	}
	tell(t, dir, "do", "exit 0")
	for _, r := range []*run{r0, r2} {
		if err := r.wait(t); err != nil {
			t.Error(r.Host, err)
		}
	}
}

// Host 0 is started anew and begins alone, since the other is cut off. Who comes
// back knows of later rounds: none may be counted twice.
func TestConcurrentHostsElasticBeginAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := hosts(t, 1, 1, 1)
	c := startChild(t, dir, list[0], false)
	first := reports(t, dir, 0, 1)[0]
	j, cut := wired(dir, list[1])
	r := start(t, j)
	workers := reports(t, dir, 1, 2)

	cut.Store(true)
	c.cmd.Process.Kill()
	c.cmd.Wait()
	eventually(t, "end of the workers", func() bool { return allGone(workers) })
	startChild(t, dir, list[0], false)
	eventually(t, "first round", func() bool { return reports(t, dir, 0, 1)[0].Pid != first.Pid })

	cut.Store(false)
	reports(t, dir, 2, 2)
	tell(t, dir, "do", "exit 0")
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
}

func TestCancelHosts(t *testing.T) {
	t.Parallel()
	for _, who := range []int{0, 1} {
		t.Run(fmt.Sprint(who), func(t *testing.T) {
			dir := t.TempDir()
			runs := startAll(t, dir, hosts(t, 2, 2, 1), func(j *launch.Job) { j.MaxRestarts = 3 })
			list := reports(t, dir, 0, 3)
			runs[who].cancel()
			for _, r := range runs {
				if err := r.wait(t); !errors.Is(err, launch.ErrInterrupted) {
					t.Errorf("%s: got %v", r.Host, err)
				}
			}
			for rank := range list {
				if _, err := os.Stat(filepath.Join(dir, fmt.Sprintf("saved.0.%d", rank))); err != nil {
					t.Errorf("rank %d was not asked to save: %v", rank, err)
				}
			}
			if !allGone(list) {
				t.Error("a worker is left")
			}
		})
	}
}

// Nobody has workers yet.
func TestCancelHostsThatWait(t *testing.T) {
	t.Parallel()
	list := hosts(t, 3, 1, 1, 1)
	runs := startAll(t, t.TempDir(), list[:2], nil)
	eventually(t, "wait", func() bool { return runs[0].said("waiting for node 2; there are host0 (node 0), host1 (node 1)") })
	runs[1].cancel()
	for _, r := range runs {
		if err := r.wait(t); !errors.Is(err, launch.ErrInterrupted) {
			t.Errorf("%s: got %v", r.Host, err)
		}
	}
}

// Launchers that find no store, or not each other, say so.
func TestHostsMissing(t *testing.T) {
	t.Parallel()
	list := hosts(t, 2, 1, 1)
	for i, want := range []string{"gave up after 200ms: waiting for node 1; there are host0 (node 0)", "host 0 was not there for 200ms: is its launcher running"} {
		j := newJob(t.TempDir(), list[i])
		j.JoinTimeout = 200e6
		if err := start(t, j).wait(t); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("host %d: got %v, want %q", i, err, want)
		}
	}
}

func TestHostsWithOneRank(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := hosts(t, 3, 1, 1, 1)
	runs := startAll(t, dir, list[:2], nil)
	eventually(t, "wait", func() bool { return runs[0].said("waiting for node 2; there are host0 (node 0), host1 (node 1)") })
	j := newJob(dir, list[1])
	j.Host = "other"
	if err := start(t, j).wait(t); err == nil || !strings.Contains(err.Error(), "node rank 1 is that of host1 (pid ") {
		t.Errorf("got %v", err)
	}
	runs = append(runs, start(t, newJob(dir, list[2])))
	reports(t, dir, 0, 3)
	tell(t, dir, "do", "exit 0")
	for _, r := range runs {
		if err := r.wait(t); err != nil {
			t.Error(r.Host, err)
		}
	}
}

func TestHostsOfDifferentRuns(t *testing.T) {
	t.Parallel()
	list := hosts(t, 2, 1, 1)
	list[1].Nodes, list[1].MinNodes = 3, 3
	for _, r := range startAll(t, t.TempDir(), list, nil) {
		if err := r.wait(t); err == nil || !strings.Contains(err.Error(), "--nnodes is 2 on host 0 and 3 on host1 (node 1)") {
			t.Errorf("%s: got %v", r.Host, err)
		}
	}
}
