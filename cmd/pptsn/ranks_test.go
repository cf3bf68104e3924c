package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/launch"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/train"
)

// Flags that cannot be carried out: exit code 2 and what the message must say,
// before anything is read.
func TestRanksBadFlags(t *testing.T) {
	for flags, want := range map[string]string{
		"--gpus 0,x":               "--gpus 0,x",
		"--gpus 0,0":               "different numbers",
		"--gpus 0,1 --nproc 2":     "one of them",
		"--nproc -1":               "--nproc",
		"--max_restarts -1":        "--max_restarts",
		"--timeout 0s":             "--timeout",
		"--timeout soon":           "--timeout",
		"--node_rank -2":           "--node_rank",
		"--nnodes 2":               "--node_rank",
		"--nnodes 2 --node_rank 0": "--master",
		"--nnodes 2 --node_rank 2": "number of hosts",
		"--nnodes 4:2":             "1:4",
		"--nnodes 2 --node_rank 0 --master host:no": "host:no",
	} {
		for _, start := range []string{"train -c x.yaml", "test -c x.yaml -w x.pdparams"} {
			code, stdout, stderr := command(t, "", append(strings.Fields(start), strings.Fields(flags)...)...)
			if code != exitUsage || !strings.Contains(stderr, want) || stdout != "" {
				t.Errorf("%s %s: exit code %d, %s, want %q", start, flags, code, stderr, want)
			}
		}
	}
	for flags, want := range map[string]string{
		"doctor --gpus 0,1 --nproc 2":                           "one of them",
		"doctor clip.mp4":                                       "clip.mp4",
		"train -c x.yaml --bucket_mb 0":                         "--bucket_mb",
		"train -c x.yaml --bucket_mb NaN":                       "--bucket_mb",
		"test --from a --nproc 2":                               "--from",
		"test -c x.yaml -w x.pdparams --use_gpu True --nproc 2": "--use_gpu",
	} {
		if code, _, stderr := command(t, "", strings.Fields(flags)...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, %s, want %q", flags, code, stderr, want)
		}
	}
}

// GPUs that are not there: what to do instead.
func TestRanksWithoutGPU(t *testing.T) {
	if n, err := torch.CUDADevices(); err != nil || n > 0 {
		t.Skipf("%d CUDA devices: %v", n, err)
	}
	f := makeTrainFixture(t)
	for _, flags := range []string{"--gpus=0,1", "--gpus 0"} {
		code, _, stderr := command(t, "", f.args(t.TempDir(), strings.Fields(flags)...)...)
		if code != exitFailed || !strings.Contains(stderr, "no CUDA device") || !strings.Contains(stderr, "--nproc") || !strings.Contains(stderr, "pptsn doctor") {
			t.Errorf("%s: exit code %d: %s", flags, code, stderr)
		}
	}
}

// What a process is follows from its flags and environment.
func TestRanksRole(t *testing.T) {
	none := ranksFlags{nodeRank: -1, timeout: time.Minute}
	with := func(change func(*ranksFlags)) ranksFlags { r := none; change(&r); return r }
	torchrun := map[string]string{"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "h", "MASTER_PORT": "1234"}
	ours := map[string]string{"PPTSN_LAUNCHED": "1"}
	for name, value := range torchrun {
		ours[name] = value
	}
	worker := role{world: &launch.World{Rank: 1, Size: 2, LocalRank: 1, Master: "h", Port: 1234}}
	two := with(func(r *ranksFlags) { r.procs = 2 })
	for name, tc := range map[string]struct {
		flags ranksFlags
		env   map[string]string
		want  role
		fails string
	}{
		"alone":                   {flags: none},
		"one GPU":                 {flags: with(func(r *ranksFlags) { r.gpus = "3" })},
		"one process":             {flags: with(func(r *ranksFlags) { r.procs = 1 })},
		"two processes":           {flags: two, want: role{launch: &launch.Topology{Nodes: 1, MinNodes: 1, Procs: 2, Master: "127.0.0.1"}}},
		"GPUs":                    {flags: with(func(r *ranksFlags) { r.gpus = "1, 3" }), want: role{launch: &launch.Topology{Nodes: 1, MinNodes: 1, Procs: 2, Master: "127.0.0.1"}}},
		"one that may be started": {flags: with(func(r *ranksFlags) { r.maxRestarts = 1 }), want: role{launch: &launch.Topology{Nodes: 1, MinNodes: 1, Procs: 1, Master: "127.0.0.1"}}},
		"Kubeflow": {flags: none, env: map[string]string{"PET_NNODES": "2", "PET_NPROC_PER_NODE": "4", "PET_NODE_RANK": "1", "PET_MASTER_ADDR": "h", "PET_MASTER_PORT": "99"},
			want: role{launch: &launch.Topology{Nodes: 2, MinNodes: 2, NodeRank: 1, Procs: 4, Master: "h", Port: 99}}},
		"torchrun":              {flags: none, env: torchrun, want: worker},
		"a worker of ours":      {flags: two, env: ours, want: worker},
		"torchrun and --nproc":  {flags: two, env: torchrun, fails: "RANK=1"},
		"torchrun, incomplete":  {flags: none, env: map[string]string{"RANK": "1"}, fails: "WORLD_SIZE"},
		"flags and environment": {flags: two, env: map[string]string{"PET_NPROC_PER_NODE": "4"}, fails: "disagree"},
	} {
		got, err := tc.flags.role(func(name string) string { return tc.env[name] })
		switch {
		case tc.fails != "":
			if _, usage := err.(usageError); !usage || !strings.Contains(err.Error(), tc.fails) {
				t.Errorf("%s: error %v, want %q", name, err, tc.fails)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		default:
			if got.world != nil {
				got.world.Launched = false
			}
			if !same(got.world, tc.want.world) || !same(got.launch, tc.want.launch) {
				t.Errorf("%s: %+v %+v, want %+v %+v", name, got.world, got.launch, tc.want.world, tc.want.launch)
			}
		}
	}
}

// A rank's GPU: the one of its number, unless its launcher shows it one alone.
func TestRanksLocalDevice(t *testing.T) {
	for _, tc := range []struct {
		w       *launch.World
		visible string
		n, want int // -1: an error
	}{
		{nil, "", 8, 0},
		{nil, "", 1, 0},
		{&launch.World{LocalRank: 3, LocalSize: 8}, "", 8, 3},
		{&launch.World{LocalRank: 3, LocalSize: 8}, "3", 1, 0},
		{&launch.World{LocalRank: 3}, "", 1, 0}, // not known whether it shares
		{&launch.World{LocalRank: 0, LocalSize: 2}, "", 1, 0},
		{&launch.World{LocalRank: 1, LocalSize: 2}, "", 1, -1},
		{&launch.World{LocalRank: 4, LocalSize: 8}, "", 4, -1},
		{&launch.World{}, "", 0, -1},
	} {
		t.Setenv("CUDA_VISIBLE_DEVICES", tc.visible)
		got, err := localDevice(tc.w, tc.n)
		if (err != nil) != (tc.want < 0) || err == nil && got != torch.CUDA(tc.want) {
			t.Errorf("%+v of %d devices, %q visible: %v, %v, want %d", tc.w, tc.n, tc.visible, got, err, tc.want)
		}
	}
	for want, err := range map[string]error{
		"no device 2":    devicesThere([]int{0, 2}, 2, true),
		"no CUDA device": devicesThere([]int{0}, 0, true),
		"use_gpu: False": devicesThere([]int{0}, 1, false),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := devicesThere([]int{1, 0}, 2, true); err != nil {
		t.Error(err)
	}
}

// Started again, rank 0 goes on from the newest checkpoint, unless the run had
// not begun: then that one is of an older run.
func TestRanksRestarted(t *testing.T) {
	needsTorch(t)
	first, err := meet(t.Context(), &launch.World{Size: 1, Master: "127.0.0.1", Port: testdata.FreePort(t), Serve: true}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer first.close(t.Context(), nil)
	again := *first
	again.world.Round = 1
	for i, step := range []struct {
		do   func() error
		want bool
	}{
		{func() error { return nil }, true}, // a store that knows nothing: node 0 is new
		{first.begin, false},
		{again.begin, false},
		{first.hasBegun, true},
		{again.begin, true},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got, err := again.restarted(t.Context()); err != nil || got != step.want {
			t.Errorf("step %d: %v, %v, want %v", i, got, err, step.want)
		}
	}
	if got, err := first.restarted(t.Context()); got || err != nil {
		t.Errorf("round 0: %v, %v", got, err)
	}
}

// 130 says that a run was interrupted and has saved: not so where a rank failed
// meanwhile.
func TestRanksExitCodes(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	killed := &launch.Failure{Rank: 1, Host: "h", Signal: syscall.SIGKILL}
	lost := &torch.CollectiveError{Size: 2, What: "gradients", Missing: []int{1}, Err: errors.New("silence")}
	for name, tc := range map[string]struct {
		err  error
		code int
		says string
	}{
		"interrupted launcher":     {launched(launch.ErrInterrupted, 0), exitSignal, "interrupted"},
		"interrupted rank":         {excused(train.ErrInterrupted), exitSignal, "interrupted"},
		"killed while others save": {launched(errors.Join(killed, launch.ErrInterrupted), 0), exitFailed, "rank 1 (h, pid 0) failed: killed by signal 9"},
		"rank whose peer is lost":  {excused(lost), exitFailed, "no answer from rank 1"},
	} {
		var said strings.Builder
		code := exitCode(stopped, tc.err, &said)
		if code != tc.code || !strings.Contains(said.String(), tc.says) || code == exitFailed && strings.Contains(said.String(), "interrupted") {
			t.Errorf("%s: exit code %d, want %d and %q: %s", name, code, tc.code, tc.says, &said)
		}
	}
	t.Setenv("PPTSN_LAUNCHED", "1") // a launcher may have asked, since a host has joined
	var said strings.Builder
	if code := exitCode(stopped, excused(train.ErrInterrupted), &said); code != exitSignal || said.String() != "pptsn: ended, as asked to\n" {
		t.Errorf("a launcher's worker: exit code %d: %s", code, &said)
	}
	if code := exitCode(t.Context(), launched(&launch.Failure{Code: exitUsage}, 1), io.Discard); code != exitUsage {
		t.Errorf("wrong command line: exit code %d", code)
	}
}

func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
