package launch_test

import (
	"strings"
	"testing"

	"github.com/pptsn/pptsn/launch"
)

// What Kubeflow's runtime torch-distributed sets in the second of two pods.
const kubeflow = "PET_NNODES=2 PET_NPROC_PER_NODE=8 PET_NODE_RANK=1 PET_MASTER_ADDR=job-node-0-0.job PET_MASTER_PORT=29400 "

// What srun sets in the second of two tasks, one a host.
const srunHosts = "SLURM_JOB_ID=1234 SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_NODEID=1 SLURM_NTASKS=2 SLURM_NNODES=2 SLURM_JOB_NODELIST=gpu[7-8] "

func TestNewTopology(t *testing.T) {
	none := launch.Flags{NodeRank: -1}
	for _, tc := range []struct {
		name  string
		flags launch.Flags
		env   string
		want  launch.Topology
	}{
		{"nothing", none, "", launch.Topology{Nodes: 1, MinNodes: 1, Procs: 1, Master: "127.0.0.1"}},
		{"one host", launch.Flags{Procs: 8, NodeRank: -1}, "", launch.Topology{Nodes: 1, MinNodes: 1, Procs: 8, Master: "127.0.0.1"}},
		{"two hosts", launch.Flags{Procs: 8, Nodes: "2", NodeRank: 1, Master: "host0:1234"}, "",
			launch.Topology{Nodes: 2, MinNodes: 2, NodeRank: 1, Procs: 8, Master: "host0", Port: 1234}},
		{"the usual port", launch.Flags{Nodes: "2", NodeRank: 0, Master: "host0"}, "",
			launch.Topology{Nodes: 2, MinNodes: 2, Procs: 1, Master: "host0", Port: 29500}},
		{"IPv6", launch.Flags{Nodes: "2", NodeRank: 0, Master: "[fe80::1]:7"}, "",
			launch.Topology{Nodes: 2, MinNodes: 2, Procs: 1, Master: "fe80::1", Port: 7}},
		{"elastic", launch.Flags{Nodes: "1:4", NodeRank: 3, Master: "host0:7"}, "",
			launch.Topology{Nodes: 4, MinNodes: 1, NodeRank: 3, Procs: 1, Master: "host0", Port: 7}},
		{"Kubeflow", none, kubeflow, launch.Topology{Nodes: 2, MinNodes: 2, NodeRank: 1, Procs: 8, Master: "job-node-0-0.job", Port: 29400}},
		{"Kubeflow and the same flags", launch.Flags{Procs: 8, Nodes: "2", NodeRank: 1, Master: "job-node-0-0.job:29400"}, kubeflow,
			launch.Topology{Nodes: 2, MinNodes: 2, NodeRank: 1, Procs: 8, Master: "job-node-0-0.job", Port: 29400}},
		{"Kubeflow's PyTorchJob", none, kubeflow + "RANK=1 WORLD_SIZE=2", launch.Topology{Nodes: 2, MinNodes: 2, NodeRank: 1, Procs: 8, Master: "job-node-0-0.job", Port: 29400}},
		{"auto with GPUs", launch.Flags{NodeRank: -1, Devices: 4}, "PET_NPROC_PER_NODE=auto", launch.Topology{Nodes: 1, MinNodes: 1, Procs: 4, Master: "127.0.0.1"}},
		{"auto without", none, "PET_NPROC_PER_NODE=auto", launch.Topology{Nodes: 1, MinNodes: 1, Procs: 1, Master: "127.0.0.1"}},
		{"auto and --gpus", launch.Flags{Procs: 2, NodeRank: -1, Devices: 4}, "PET_NPROC_PER_NODE=auto", launch.Topology{Nodes: 1, MinNodes: 1, Procs: 2, Master: "127.0.0.1"}},
		{"Slurm", launch.Flags{Procs: 8, NodeRank: -1}, srunHosts, launch.Topology{Nodes: 2, MinNodes: 2, NodeRank: 1, Procs: 8, Master: "gpu7", Port: 20000 + 16*1234%10000}},
		{"elastic Slurm", launch.Flags{Nodes: "1:2", NodeRank: -1}, srunHosts, launch.Topology{Nodes: 2, MinNodes: 1, NodeRank: 1, Procs: 1, Master: "gpu7", Port: 20000 + 16*1234%10000}},
		{"Slurm, but flags say all", launch.Flags{Nodes: "4", NodeRank: 3, Master: "h:1"}, srunHosts, launch.Topology{Nodes: 4, MinNodes: 4, NodeRank: 3, Procs: 1, Master: "h", Port: 1}},
		{"a Slurm script without srun", launch.Flags{Procs: 8, NodeRank: -1}, "SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_NNODES=2", launch.Topology{Nodes: 1, MinNodes: 1, Procs: 8, Master: "127.0.0.1"}},
	} {
		got, err := launch.NewTopology(tc.flags, variables(tc.env))
		if err != nil || got != tc.want {
			t.Errorf("%s: got %+v, %v, want %+v", tc.name, got, err, tc.want)
		}
	}
}

func TestNewTopologyErrors(t *testing.T) {
	none := launch.Flags{NodeRank: -1}
	for _, tc := range []struct {
		flags     launch.Flags
		env, want string
	}{
		{launch.Flags{Nodes: "two", NodeRank: -1}, "", "--nnodes two: want a number such as 2, or 1:4"},
		{launch.Flags{Nodes: "4:2", NodeRank: -1}, "", "--nnodes 4:2: want"},
		{launch.Flags{Nodes: "2", NodeRank: -1, Master: "a:1"}, "", "2 hosts: which of them is this? Give --node_rank (or PET_NODE_RANK)"},
		{launch.Flags{Nodes: "2", NodeRank: 0}, "", "2 hosts: where is host 0? Give --master host:port"},
		{launch.Flags{Nodes: "2", NodeRank: 2, Master: "a:1"}, "", "--node_rank 2: want a number below 2, the number of hosts"},
		{launch.Flags{NodeRank: 1}, "", "--node_rank 1: want a number below 1"},
		{launch.Flags{Nodes: "2", NodeRank: 0, Master: ":1"}, "", "--master :1: want host:port"},
		{launch.Flags{Nodes: "2", NodeRank: 0, Master: "a:99999"}, "", "--master a:99999: want a port"},
		{launch.Flags{Nodes: "3", NodeRank: -1}, kubeflow, "--nnodes 3 and PET_NNODES=2 disagree"},
		{launch.Flags{NodeRank: 0}, kubeflow, "PET_NODE_RANK=1 and --node_rank 0 disagree"},
		{launch.Flags{Procs: 4, NodeRank: -1}, kubeflow, "4 processes by --gpus or --nproc and PET_NPROC_PER_NODE=8 disagree"},
		{launch.Flags{NodeRank: -1, Master: "a:29400"}, kubeflow, "--master a:29400 and PET_MASTER_ADDR=job-node-0-0.job disagree"},
		{launch.Flags{NodeRank: -1, Master: "job-node-0-0.job:1"}, kubeflow, "--master job-node-0-0.job:1 and PET_MASTER_PORT=29400 disagree"},
		{none, "PET_NNODES=2 PET_NODE_RANK=0 PET_NPROC_PER_NODE=2", "where is host 0?"},
		{none, "PET_NPROC_PER_NODE=many", "PET_NPROC_PER_NODE=many: want a number"},
		{none, "PET_NPROC_PER_NODE=gpu", "PET_NPROC_PER_NODE=gpu, but no GPU can be used here"},
		{launch.Flags{Nodes: "3", NodeRank: -1}, srunHosts, "--nnodes 3 and SLURM_NNODES=2 disagree"},
		{launch.Flags{NodeRank: 0}, srunHosts, "--node_rank 0 and SLURM_NODEID=1 disagree"},
		{none, torchrun, "RANK=5 WORLD_SIZE=8 LOCAL_RANK=1: a launcher has started this process already"},
		{launch.Flags{Procs: 4, NodeRank: -1}, srun, "SLURM_NTASKS=8 and SLURM_NNODES=2 disagree: with several tasks a host each is a worker"},
	} {
		if got, err := launch.NewTopology(tc.flags, variables(tc.env)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v, %s:\ngot  %+v, %v\nwant %s", tc.flags, tc.env, got, err, tc.want)
		}
	}
}
