package launch

import (
	"fmt"
	"strings"
)

// A World is a worker's place in a run.
type World struct {
	Rank, Size           int
	LocalRank, LocalSize int    // among the workers of its host; LocalSize 0: not known
	Master               string // host of the store
	Port                 int
	Serve                bool   // this worker keeps the store itself, since no launcher does
	Round                int    // how often the run was started before; above 0: go on from the newest checkpoint
	Launched             bool   // by a Job: the command line is the launcher's own
	Why                  string // the round began, such as a host that joined; "": not known
}

// FromEnvironment reads a worker's place from the variables of torchrun, which
// a Job sets too, or from those of a Slurm step with several tasks a host. It
// is not ok where the variables say nothing of ranks: then this is a launcher
// or a process of its own. One Slurm task a host is a launcher's place.
func FromEnvironment(getenv func(string) string) (w World, ok bool, err error) {
	e := environment(getenv)
	switch {
	case e.isWorker():
		w, err = e.torchrun()
	case e.isSlurmTask():
		w, err = e.slurmTask()
	default:
		return World{}, false, nil
	}
	return w, err == nil, err
}

// The variables of torchrun that a worker cannot do without.
var torchrunNames = []string{"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"}

// isWorker says whether a launcher like torchrun started this process. Kubeflow's
// PyTorchJob sets RANK and WORLD_SIZE too, but means pods: LOCAL_RANK tells.
func (e environment) isWorker() bool {
	if e("LOCAL_RANK") == "" && e.any(petNames...) {
		return false
	}
	return e.any("RANK", "WORLD_SIZE", "LOCAL_RANK")
}

func (e environment) torchrun() (World, error) {
	if set, missing := e.split(torchrunNames...); len(missing) > 0 {
		return World{}, fmt.Errorf("launch: %s without %s: a worker needs all of %s, a process of its own none of RANK, WORLD_SIZE, LOCAL_RANK",
			strings.Join(set, " "), strings.Join(missing, ", "), strings.Join(torchrunNames, ", "))
	}
	w := World{Master: e("MASTER_ADDR"), Launched: e("PPTSN_LAUNCHED") == "1", Why: e("PPTSN_WHY")}
	err := e.numbers([]variable{
		{"RANK", 0, &w.Rank},
		{"WORLD_SIZE", 1, &w.Size},
		{"LOCAL_RANK", 0, &w.LocalRank},
		{"MASTER_PORT", 1, &w.Port},
		{"LOCAL_WORLD_SIZE", 1, &w.LocalSize},
		{e.first("PPTSN_ROUND", "TORCHELASTIC_RESTART_COUNT"), 0, &w.Round},
	})
	if err != nil {
		return World{}, err
	}
	w.Serve = w.Rank == 0 && e("TORCHELASTIC_USE_AGENT_STORE") != "True"
	return w, e.checkRanks(w)
}

// A variable is a number to be read.
type variable struct {
	name string
	low  int
	to   *int
}

// numbers reads those that are set.
func (e environment) numbers(list []variable) error {
	for _, v := range list {
		if e(v.name) == "" {
			continue
		}
		n, err := e.number(v.name, v.low)
		if err != nil {
			return err
		}
		*v.to = n
	}
	return nil
}

func (e environment) checkRanks(w World) error {
	switch {
	case w.Rank >= w.Size:
		return e.disagree("ranks count from 0", "RANK", "WORLD_SIZE")
	case w.LocalRank > w.Rank:
		return e.disagree("the rank on a host cannot be above the rank among all", "LOCAL_RANK", "RANK")
	case w.LocalSize == 0:
		return nil
	case w.LocalRank >= w.LocalSize:
		return e.disagree("ranks count from 0", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
	case w.LocalSize > w.Size:
		return e.disagree("a host cannot have more processes than there are", "LOCAL_WORLD_SIZE", "WORLD_SIZE")
	case w.Rank-w.LocalRank+w.LocalSize > w.Size:
		return e.disagree("the ranks of this host would go beyond the last", "RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "WORLD_SIZE")
	case w.Port > 65535:
		return fmt.Errorf("launch: MASTER_PORT=%d: want a port of at most 65535", w.Port)
	}
	return nil
}
