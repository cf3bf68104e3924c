package launch_test

import (
	"strings"
	"testing"

	"github.com/pptsn/pptsn/launch"
)

// variables reads "A=1 B=2".
func variables(text string) func(string) string {
	m := map[string]string{}
	for _, f := range strings.Fields(text) {
		name, value, _ := strings.Cut(f, "=")
		m[name] = value
	}
	return func(name string) string { return m[name] }
}

const torchrun = "RANK=5 WORLD_SIZE=8 LOCAL_RANK=1 LOCAL_WORLD_SIZE=4 MASTER_ADDR=host0 MASTER_PORT=29400 "

// What srun sets in the fifth of eight tasks on two hosts.
const srun = "SLURM_JOB_ID=1234 SLURM_STEP_ID=2 SLURM_PROCID=5 SLURM_LOCALID=1 SLURM_NODEID=1 SLURM_NTASKS=8 SLURM_NNODES=2 " +
	"SLURM_STEP_TASKS_PER_NODE=4(x2) SLURM_JOB_NODELIST=gpu[07-08] "

func TestFromEnvironment(t *testing.T) {
	fifth := launch.World{Rank: 5, Size: 8, LocalRank: 1, LocalSize: 4, Master: "host0", Port: 29400}
	with := func(change func(*launch.World)) launch.World { w := fifth; change(&w); return w }
	slurm := with(func(w *launch.World) { w.Master, w.Port = "gpu07", 20000+(16*1234+2)%10000 })
	for _, tc := range []struct {
		name, env string
		want      launch.World
	}{
		{"torchrun", torchrun + "TORCHELASTIC_USE_AGENT_STORE=True", fifth},
		{"torchrun, third attempt", torchrun + "TORCHELASTIC_RESTART_COUNT=2", with(func(w *launch.World) { w.Round = 2 })},
		{"our launcher", torchrun + "PPTSN_LAUNCHED=1 PPTSN_ROUND=3 PPTSN_WHY=joined", with(func(w *launch.World) { w.Round, w.Launched, w.Why = 3, true, "joined" })},
		{"within Slurm", torchrun + srun, fifth},
		{"without LOCAL_WORLD_SIZE", strings.Replace(torchrun, "LOCAL_WORLD_SIZE=4", "", 1), with(func(w *launch.World) { w.LocalSize = 0 })},
		{"rank 0 keeps the store", "RANK=0 WORLD_SIZE=2 LOCAL_RANK=0 MASTER_ADDR=a MASTER_PORT=1", launch.World{Size: 2, Master: "a", Port: 1, Serve: true}},
		{"its agent does", "RANK=0 WORLD_SIZE=2 LOCAL_RANK=0 MASTER_ADDR=a MASTER_PORT=1 TORCHELASTIC_USE_AGENT_STORE=True", launch.World{Size: 2, Master: "a", Port: 1}},
		{"Slurm", srun, slurm},
		{"Slurm, other step", srun + "SLURM_STEP_NUM_TASKS=8 SLURM_STEP_NODELIST=gpu08,gpu09", with(func(w *launch.World) { w.Master, w.Port = "gpu08", slurm.Port })},
		{"Slurm, own port", srun + "MASTER_ADDR=ib0 MASTER_PORT=77", with(func(w *launch.World) { w.Master, w.Port = "ib0", 77 })},
		{"Slurm, queued again", srun + "SLURM_RESTART_COUNT=1", with(func(w *launch.World) { w.Master, w.Port, w.Round = "gpu07", slurm.Port, 1 })},
	} {
		got, ok, err := launch.FromEnvironment(variables(tc.env))
		if !ok || err != nil || got != tc.want {
			t.Errorf("%s: got %+v, %v, %v, want %+v", tc.name, got, ok, err, tc.want)
		}
	}
}

func TestFromEnvironmentOfNoWorker(t *testing.T) {
	for name, env := range map[string]string{
		"nothing":                  "MASTER_ADDR=a MASTER_PORT=1",
		"Kubeflow":                 "PET_NNODES=2 PET_NODE_RANK=1",
		"Kubeflow's PyTorchJob":    "PET_NNODES=2 PET_NODE_RANK=1 RANK=1 WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=1",
		"Slurm, one task a host":   "SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_NTASKS=2 SLURM_NNODES=2",
		"Slurm, a script, no srun": "SLURM_JOB_ID=1 SLURM_PROCID=0 SLURM_NTASKS=16 SLURM_NNODES=2",
	} {
		if w, ok, err := launch.FromEnvironment(variables(env)); ok || err != nil {
			t.Errorf("%s: got %+v, %v, %v", name, w, ok, err)
		}
	}
}

func TestFromEnvironmentErrors(t *testing.T) {
	for _, tc := range []struct{ env, want string }{
		{"RANK=1 MASTER_PORT=29500", "RANK=1 MASTER_PORT=29500 without WORLD_SIZE, LOCAL_RANK, MASTER_ADDR: a worker needs all of"},
		{"WORLD_SIZE=4", "WORLD_SIZE=4 without RANK, LOCAL_RANK"},
		{strings.Replace(torchrun, "RANK=5", "RANK=8", 1), "RANK=8 and WORLD_SIZE=8 disagree"},
		{strings.Replace(torchrun, "RANK=5", "RANK=first", 1), "RANK=first: want a number of at least 0"},
		{strings.Replace(torchrun, "LOCAL_RANK=1", "LOCAL_RANK=6", 1), "LOCAL_RANK=6 and RANK=5 disagree"},
		{strings.Replace(torchrun, "LOCAL_RANK=1", "LOCAL_RANK=4", 1), "LOCAL_RANK=4 and LOCAL_WORLD_SIZE=4 disagree"},
		{strings.Replace(torchrun, "LOCAL_WORLD_SIZE=4", "LOCAL_WORLD_SIZE=9", 1), "LOCAL_WORLD_SIZE=9 and WORLD_SIZE=8 disagree"},
		{strings.Replace(torchrun, "LOCAL_WORLD_SIZE=4", "LOCAL_WORLD_SIZE=5", 1), "RANK=5 and LOCAL_RANK=1 and LOCAL_WORLD_SIZE=5 and WORLD_SIZE=8 disagree"},
		{strings.Replace(torchrun, "29400", "70000", 1), "MASTER_PORT=70000: want a port"},
		{torchrun + "PPTSN_ROUND=-1", "PPTSN_ROUND=-1: want a number"},
		{strings.Replace(srun, "PROCID=5", "PROCID=8", 1), "SLURM_PROCID=8 and SLURM_NTASKS=8 disagree"},
		{strings.Replace(srun, "LOCALID=1", "LOCALID=4", 1), "SLURM_LOCALID=4 and SLURM_STEP_TASKS_PER_NODE=4(x2) disagree"},
		{strings.Replace(srun, "NODEID=1", "NODEID=2", 1), "SLURM_STEP_TASKS_PER_NODE=4(x2) and SLURM_NODEID=2 disagree"},
		{strings.Replace(srun, "4(x2)", "4(x", 1), "SLURM_STEP_TASKS_PER_NODE=4(x: want numbers"},
		{strings.Replace(srun, "gpu[07-08]", "gpu[07-", 1), `SLURM_JOB_NODELIST: list of hosts "gpu[07-": brackets do not match`},
		{strings.Replace(srun, "SLURM_LOCALID=1", "", 1), "without SLURM_LOCALID"},
	} {
		if w, ok, err := launch.FromEnvironment(variables(tc.env)); ok || err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s:\ngot  %+v, %v, %v\nwant %s", tc.env, w, ok, err, tc.want)
		}
	}
}
