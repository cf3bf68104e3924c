package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pptsn/pptsn/torch"
)

// torchFacts are about libtorch.
type torchFacts struct {
	Version  string          `json:"version"` // "": it cannot be used
	Files    []string        `json:"files"`   // the shim's, and libtorch's own
	Backends []torch.Backend `json:"backends"`
}

// examine looks at this host. misread is why flags and environment cannot be
// carried out.
func examine(r *ranksFlags, part role, misread error) *diagnosis {
	d := &diagnosis{Cores: torch.Cores(), Memory: memory(), GPUs: []string{}, Interfaces: []networkInterface{}, Environment: readVariables(), Problems: []problem{}}
	d.Host, _ = os.Hostname()
	d.Role = part.String()
	if misread != nil {
		d.Role = "not understood"
		d.add(true, "set the variables, or give the flags, as docs/distributed.md says", "%v", misread)
	}
	d.torch(part)
	d.gpus(r, part)
	d.network(part)
	return d
}

// memory is the host's, from /proc; 0 where there is none.
func memory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if v := strings.Fields(s.Text()); len(v) > 1 && v[0] == "MemTotal:" {
			n, _ := strconv.ParseInt(v[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

func (d *diagnosis) torch(part role) {
	version, err := torch.Version()
	if err != nil {
		d.add(true, "make torch", "%v", err)
		return
	}
	d.Torch = torchFacts{Version: version, Files: torchLibraries()}
	d.Torch.Backends, _ = torch.Backends() // it is loaded
	if d.Torch.Backends == nil {
		d.Torch.Backends = []torch.Backend{}
	}
	if !slices.Contains(d.Torch.Backends, torch.Gloo) {
		d.add(part.several(), "apt-get install libgloo-dev (scripts/setup.sh torch) and make torch", "libtorch's shim was built without Gloo, so processes cannot train together on CPUs")
	}
}

// torchLibraries are the files of libtorch that this process has loaded, and
// the shim; none where the system does not say.
func torchLibraries() []string {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil
	}
	defer f.Close()
	var files []string
	for s := bufio.NewScanner(f); s.Scan(); {
		_, path, ok := strings.Cut(s.Text(), "/")
		name := filepath.Base(path)
		known := strings.HasPrefix(name, "libpptsn_torch") || strings.HasPrefix(name, "libtorch_cpu") || strings.HasPrefix(name, "libtorch_cuda")
		if path = "/" + path; ok && known && !slices.Contains(files, path) {
			files = append(files, path)
		}
	}
	slices.SortStableFunc(files, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	return files
}

func (d *diagnosis) gpus(r *ranksFlags, part role) {
	d.GPUs = nvidiaSMI()
	if d.Torch.Version == "" {
		return
	}
	d.CUDA, _ = torch.CUDADevices() // libtorch is loaded
	list, _ := r.devices()          // they were checked
	switch {
	case list != nil:
		if err := devicesThere(list, d.CUDA, true); err != nil {
			d.add(true, "give --gpus those that are there, or --nproc N for CPUs", "%v", err)
		}
	case len(d.GPUs) > 0 && d.CUDA == 0:
		d.add(false, "take a libtorch with CUDA (LIBTORCH=folder make torch); look at CUDA_VISIBLE_DEVICES", "there are GPUs, but libtorch can use none")
	}
	if d.CUDA > 0 && !slices.Contains(d.Torch.Backends, torch.NCCL) {
		d.add(part.several() && r.procs == 0, "make torch where nccl.h is (Debian: libnccl-dev)", "libtorch's shim was built without NCCL, so GPUs cannot train together")
	}
}

// nvidiaSMI lists GPUs by name and memory; none where there is no such tool.
func nvidiaSMI() []string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=index,name,memory.total,driver_version", "--format=csv,noheader").Output()
	if err != nil {
		return []string{}
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// variables are what pptsn, libtorch, Gloo and NCCL read of a run's processes.
// A star stands for any end.
var variables = []string{
	"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_*", "PET_*",
	"SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_NTASKS", "SLURM_NNODES", "SLURM_JOB_NUM_NODES", "SLURM_STEP_NUM_*",
	"SLURM_JOB_NODELIST", "SLURM_NODELIST", "SLURM_STEP_NODELIST", "SLURM_*TASKS_PER_NODE", "SLURM_CPUS_PER_TASK", "SLURM_RESTART_COUNT",
	"CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PPTSN_*", "GLOO_SOCKET_IFNAME", "NCCL_*",
}

// readVariables are those that are set.
func readVariables() []string {
	set := []string{}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if slices.ContainsFunc(variables, func(pattern string) bool { ok, _ := filepath.Match(pattern, name); return ok }) {
			set = append(set, v)
		}
	}
	slices.Sort(set)
	return set
}
