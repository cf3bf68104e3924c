package launch

import (
	"fmt"
	"strconv"
	"strings"
)

// A step of srun has SLURM_STEP_ID; a batch script outside of srun has most of
// the other variables too, but is one process.
func (e environment) inSlurmStep() bool {
	return e("SLURM_STEP_ID") != "" && e("SLURM_PROCID") != ""
}

// Where the variables of the step and of the job differ, the step's count.
func (e environment) slurmTasks() string { return e.first("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS") }
func (e environment) slurmNodes() string {
	return e.first("SLURM_STEP_NUM_NODES", "SLURM_NNODES", "SLURM_JOB_NUM_NODES")
}
func (e environment) slurmList() string {
	return e.first("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST")
}

// isSlurmTask says whether this is one of several tasks that srun started on a
// host. A task that is alone on its host is a launcher or a process of its own.
func (e environment) isSlurmTask() bool {
	if !e.inSlurmStep() {
		return false
	}
	tasks, err := strconv.Atoi(e(e.slurmTasks()))
	if err != nil {
		return e(e.slurmTasks()) != "" // wrong: an error of slurmTask
	}
	nodes, err := strconv.Atoi(e(e.slurmNodes()))
	if err != nil {
		nodes = 1
	}
	return tasks > nodes
}

func (e environment) slurmTask() (World, error) {
	tasks, list := e.slurmTasks(), e.slurmList()
	names := []string{"SLURM_PROCID", tasks, "SLURM_LOCALID", "SLURM_JOB_ID", list}
	if set, missing := e.split(names...); len(missing) > 0 {
		return World{}, fmt.Errorf("launch: %s without %s", strings.Join(set, " "), strings.Join(missing, ", "))
	}
	var w World
	err := e.numbers([]variable{
		{"SLURM_PROCID", 0, &w.Rank},
		{tasks, 1, &w.Size},
		{"SLURM_LOCALID", 0, &w.LocalRank},
		{"SLURM_RESTART_COUNT", 0, &w.Round}, // the job was queued again
	})
	if err != nil {
		return World{}, err
	}
	w.Serve = w.Rank == 0
	if w.LocalSize, err = e.slurmLocalSize(); err != nil {
		return World{}, err
	}
	if w.Master, w.Port, err = e.slurmMaster(); err != nil {
		return World{}, err
	}
	return w, e.checkSlurm(w)
}

func (e environment) checkSlurm(w World) error {
	per := e.slurmTasksPerNode()
	switch {
	case w.Rank >= w.Size:
		return e.disagree("ranks count from 0", "SLURM_PROCID", e.slurmTasks())
	case w.LocalRank >= w.LocalSize:
		return e.disagree("ranks count from 0", "SLURM_LOCALID", per)
	case w.LocalSize > w.Size:
		return e.disagree("a host cannot have more tasks than there are", per, e.slurmTasks())
	}
	return nil
}

func (e environment) slurmTasksPerNode() string {
	return e.first("SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE", "SLURM_NTASKS_PER_NODE")
}

// slurmLocalSize is the number of tasks on this host. Slurm writes the numbers
// of all hosts as "8(x2),4".
func (e environment) slurmLocalSize() (int, error) {
	name := e.slurmTasksPerNode()
	counts, err := repeated(e(name))
	if err != nil {
		return 0, fmt.Errorf("launch: %s=%s: %w", name, e(name), err)
	}
	if len(counts) == 1 {
		return counts[0], nil
	}
	node, err := e.number("SLURM_NODEID", 0)
	if err != nil {
		return 0, err
	}
	if node >= len(counts) {
		return 0, e.disagree(fmt.Sprintf("it names %d hosts", len(counts)), name, "SLURM_NODEID")
	}
	return counts[node], nil
}

// repeated reads "8(x2),4": 8, 8, 4.
func repeated(list string) ([]int, error) {
	var counts []int
	for _, part := range strings.Split(list, ",") {
		value, times, several := strings.Cut(part, "(x")
		n := 1
		v, err := strconv.Atoi(value)
		if err == nil && several {
			n, err = strconv.Atoi(strings.TrimSuffix(times, ")"))
		}
		if err != nil || v < 1 || n < 1 || len(counts)+n > mostHosts {
			return nil, fmt.Errorf("want numbers such as 8(x2),4")
		}
		for range n {
			counts = append(counts, v)
		}
	}
	return counts, nil
}

// slurmMaster is the first host of the step, unless MASTER_ADDR says another,
// and a port that follows from the job and the step, unless MASTER_PORT does:
// jobs that share a host must not share it.
func (e environment) slurmMaster() (string, int, error) {
	host := e("MASTER_ADDR")
	if host == "" {
		name := e.slurmList()
		hosts, err := SlurmHosts(e(name))
		if err != nil {
			return "", 0, fmt.Errorf("launch: %s: %w", name, err)
		}
		host = hosts[0]
	}
	if e("MASTER_PORT") != "" {
		port, err := e.number("MASTER_PORT", 1)
		return host, port, err
	}
	var job, step int
	err := e.numbers([]variable{{"SLURM_JOB_ID", 0, &job}, {"SLURM_STEP_ID", 0, &step}})
	return host, 20000 + (16*job+step)%10000, err // below the ports that systems give out by themselves
}
