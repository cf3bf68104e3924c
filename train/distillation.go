package train

import (
	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tsn"
)

// A Distillation lets the network of a job, the student, learn from other
// networks, too. Names are those that the terms have for scores; the student's
// are distill.Student.
type Distillation struct {
	Terms    []distill.Term // the loss is their sum
	Peers    []Peer         // networks that learn beside the student
	Teachers []Teacher      // networks that do not learn
	Stored   []Stored       // scores of networks that need not be here
}

// A Peer learns from the same clips as the student, in the same updates. Its
// input and classes are those of the student.
type Peer struct {
	Name    string
	Network *tsn.Network
	Weights graph.Weights // to start from
	Params  []optim.Param // what is trained, as LearnerOptions.Params
}

// A Teacher stays as it is. It sees the clips of the student as it would when it
// is used: with its running statistics, without dropout. (The reference leaves
// frozen networks in training mode, so their batch norms go on moving.)
type Teacher struct {
	Name    string
	Network *tsn.Network
	Weights graph.Weights
}

// Stored are the scores of a network for the clips of a job.
type Stored struct {
	Name   string
	Scores [][]float32 // for each sample of Job.Data its K scores, before the softmax
}
