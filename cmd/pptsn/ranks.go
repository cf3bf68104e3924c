package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/pptsn/pptsn/launch"
	"github.com/pptsn/pptsn/torch"
)

// ranksFlags say how many processes, ranks, carry out a command together.
type ranksFlags struct {
	gpus        string // such as "0,1"
	procs       int    // 0: not said
	nodes       string
	nodeRank    int // -1: not said
	master      string
	logDir      string
	maxRestarts int
	timeout     time.Duration
}

func (r *ranksFlags) add(f *pflag.FlagSet) {
	f.StringVar(&r.gpus, "gpus", "", "CUDA devices of this host, a process for each: 0,1,2,3")
	f.IntVar(&r.procs, "nproc", 0, "processes on the CPU of this host, which share its cores")
	f.StringVar(&r.nodes, "nnodes", "", "number of hosts, on each of which this command is started; 2:4 for two to four")
	f.IntVar(&r.nodeRank, "node_rank", -1, "which of the hosts this is, from 0")
	f.StringVar(&r.master, "master", "", "host 0 and a free port there, host:port")
	f.StringVar(&r.logDir, "log_dir", "", "folder for the output of each process: worker.0, worker.1, ...")
	f.IntVar(&r.maxRestarts, "max_restarts", 0, "how often to start all processes again when one has failed")
	f.DurationVar(&r.timeout, "timeout", 10*time.Minute, "how long processes wait for each other before it is an error")
}

// check reports flags that cannot be carried out.
func (r *ranksFlags) check() error {
	_, err := r.devices()
	switch {
	case err != nil:
		return err
	case r.procs < 0 || r.maxRestarts < 0:
		return usagef("--nproc and --max_restarts cannot be negative")
	case r.nodeRank < -1:
		return usagef("--node_rank %d: hosts count from 0", r.nodeRank)
	case r.procs > 0 && r.gpus != "":
		return usagef("--nproc is for CPUs and --gpus for GPUs: give one of them")
	case r.timeout <= 0:
		return usagef("--timeout %v: want a time such as 10m", r.timeout)
	}
	return nil
}

// devices are those of --gpus; none without it.
func (r *ranksFlags) devices() ([]int, error) {
	if r.gpus == "" {
		return nil, nil
	}
	var list []int
	seen := map[int]bool{}
	for _, part := range strings.Split(r.gpus, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 0 || seen[n] {
			return nil, usagef("--gpus %s: want different numbers from 0, such as 0,1,2,3", r.gpus)
		}
		seen[n] = true
		list = append(list, n)
	}
	return list, nil
}

// launches says whether there is something that only a launcher can do.
func (r *ranksFlags) launches(t launch.Topology) bool {
	return t.Nodes > 1 || t.Procs > 1 || r.logDir != "" || r.maxRestarts > 0
}

// A role is what this process is in a run.
type role struct {
	world  *launch.World    // a worker's place; nil: it is none
	launch *launch.Topology // what a launcher has to start; nil: it is none
}

// role follows from flags and environment. What contradicts is a usage error.
func (r *ranksFlags) role(getenv func(string) string) (role, error) {
	if err := r.check(); err != nil {
		return role{}, err
	}
	w, ok, err := launch.FromEnvironment(getenv)
	if err != nil {
		return role{}, usageError{err}
	}
	if ok && (w.Launched || !r.given()) {
		return role{world: &w}, nil
	}
	t, err := r.topology(getenv) // an error for a worker
	if err != nil {
		return role{}, err
	}
	if r.launches(t) {
		return role{launch: &t}, nil
	}
	return role{}, nil
}

// given says whether flags ask for processes.
func (r *ranksFlags) given() bool {
	return r.gpus != "" || r.procs > 0 || r.nodes != "" || r.nodeRank >= 0 || r.master != "" || r.launches(launch.Topology{})
}

func (r *ranksFlags) topology(getenv func(string) string) (launch.Topology, error) {
	devices, err := r.devices()
	if err != nil {
		return launch.Topology{}, err
	}
	f := launch.Flags{Procs: max(r.procs, len(devices)), Nodes: r.nodes, NodeRank: r.nodeRank, Master: r.master}
	if getenv("PET_NPROC_PER_NODE") != "" { // which may want to know
		f.Devices, _ = torch.CUDADevices() // without libtorch there is none
	}
	t, err := launch.NewTopology(f, getenv)
	if err != nil {
		return t, usageError{err}
	}
	return t, nil
}

// deviceOf is where a process computes. w is nil for one that is alone; wanted
// says whether it may use a GPU.
func (r *ranksFlags) deviceOf(w *launch.World, wanted bool) (torch.Device, error) {
	list, err := r.devices()
	if err != nil {
		return torch.CPU, err
	}
	n, err := torch.CUDADevices()
	if err != nil {
		return torch.CPU, err
	}
	if list != nil && (w == nil || !w.Launched) { // else the launcher has shown one device
		if err := devicesThere(list, n, wanted); err != nil {
			return torch.CPU, err
		}
		return torch.CUDA(list[0]), nil
	}
	if r.procs > 0 || !wanted || n == 0 && list == nil {
		return torch.CPU, nil
	}
	return localDevice(w, n)
}

// localDevice is the one of n CUDA devices that is a process's: its launcher may
// have shown it one alone.
func localDevice(w *launch.World, n int) (torch.Device, error) {
	i := 0
	if w != nil && (n != 1 || w.LocalSize > 1 && os.Getenv("CUDA_VISIBLE_DEVICES") == "") {
		i = w.LocalRank
	}
	if i >= n {
		return torch.CPU, fmt.Errorf("rank %d is number %d of its host, where %d CUDA devices can be used: start a process for each, or say --nproc or use_gpu=False for CPUs", w.Rank, i, n)
	}
	return torch.CUDA(i), nil
}

// devicesThere reports devices that cannot be used, of n that can.
func devicesThere(list []int, n int, wanted bool) error {
	if !wanted {
		return errors.New("--gpus, but the configuration says use_gpu: False: leave one of them out, or say --nproc")
	}
	for _, d := range list {
		switch {
		case n == 0:
			return fmt.Errorf("--gpus: libtorch sees no CUDA device: is there a driver (nvidia-smi)? Is libtorch one with CUDA (LIBTORCH=folder make torch)? pptsn doctor tells more; --nproc %d computes on the CPU", len(list))
		case d >= n:
			return fmt.Errorf("--gpus: no device %d: there are %d, 0 to %d", d, n, n-1)
		}
	}
	return nil
}

// threadsOf is how many cores are a process's share.
func threadsOf(w *launch.World) int {
	cores := torch.Cores()
	if w == nil {
		return cores
	}
	if n, err := strconv.Atoi(os.Getenv("SLURM_CPUS_PER_TASK")); err == nil && n > 0 && !w.Launched {
		return min(n, cores)
	}
	return max(1, cores/max(1, w.LocalSize))
}
