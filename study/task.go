package main

import (
	"fmt"
	"path/filepath"
)

// A task is one network to train and test: a recipe, a seed and two lists.
type task struct {
	variant
	Seed  int
	Split string // folder of train.list and test.list in the work folder
	Name  string // of its result
	Kind  string // folder of its result: runs, rates
}

// tasks are the runs of the study. All variants of one seed come first, so that
// the table is balanced whenever it stops.
func (o options) tasks() ([]task, error) {
	list, err := chosen(o.only)
	var tasks []task
	for s := range o.seeds {
		for _, v := range list {
			tasks = append(tasks, task{variant: v, Seed: s, Split: fmt.Sprintf("lists/fold-%d", s), Name: fmt.Sprintf("%s-s%d", v.Name, s), Kind: "runs"})
		}
	}
	return tasks, err
}

// rates that are tried for TSN and PP-TSN.
var rates = []float64{0.0005, 0.001, 0.002, 0.005}

// rateTasks leave fold 0 alone: they train on folds 2 to 4 and test on fold 1.
func rateTasks() []task {
	var tasks []task
	for _, name := range []string{"tsn", "pptsn"} {
		for _, r := range rates {
			v := variantOf(name)
			v.Rate = r
			tasks = append(tasks, task{variant: v, Split: "lists/inner", Name: fmt.Sprintf("%s-rate%g", v.Name, r), Kind: "rates"})
		}
	}
	return tasks
}

func (t task) list(use string) string { return filepath.ToSlash(filepath.Join(t.Split, use+".list")) }

// dir is the folder of the run in the work folder.
func (t task) dir() string { return t.Kind + "/" + t.Name }

// weights is where training leaves the last epoch's.
func (t task) weights() string {
	return fmt.Sprintf("%s/model_epoch_%05d.pdparams", t.dir(), t.Epochs)
}

// teacherScores are those of the same seed's teacher for the training list.
func (t task) teacherScores() string { return fmt.Sprintf("runs/%s-s%d.train.jsonl", teacher, t.Seed) }

func (t task) teacher() task {
	u := t
	u.variant = variantOf(teacher)
	u.Name = fmt.Sprintf("%s-s%d", teacher, t.Seed)
	return u
}
