package train

import (
	"time"

	"github.com/pptsn/pptsn/checkpoint"
)

// A Split is the part of the data that a figure is of.
type Split string

// The splits, as log lines name them.
const (
	SplitTrain Split = "train"
	SplitVal   Split = "val"
)

// A Report is what there is to say of one batch.
type Report struct {
	Split         Split
	Epoch, Epochs int // from 1; of how many
	Batch         int // from 0, in the epoch
	Batches       int // in the epoch
	Iterations    int // done in the whole run, with this one
	Clips         int // of all ranks, as all that follows
	Bad           int // clips that could not be read

	Loss       float64
	LR         float64 // SplitTrain only
	Top1, Top5 float64 // 0 to 1

	Took   time.Duration // since the batch before, with the wait
	Waited time.Duration // for the data

	Allocated int64 // most that tensors on the GPU took so far, in bytes; 0 on the CPU
}

// AddTo adds the batch to the sums of its epoch.
func (r Report) AddTo(s *checkpoint.Sums) {
	n := float64(r.Clips)
	s.Loss.Add(r.Loss, n)
	s.Top1.Add(r.Top1, n)
	s.Top5.Add(r.Top5, n)
	s.Batch.Add(r.Took.Seconds(), 1)
	s.Reader.Add(r.Waited.Seconds(), 1)
	s.Clips += r.Clips
}

// eta is the time that the batches to come will take if they take as long as
// those of this epoch did. The reference counts only part of the time that has
// passed, and so says too little after the first epoch.
func (r Report) eta(s checkpoint.Sums) time.Duration {
	left := (r.Epochs-r.Epoch)*r.Batches + r.Batches - r.Batch - 1
	return time.Duration(s.Batch.Mean() * float64(left) * float64(time.Second))
}

// perSecond is 0 for no time.
func perSecond(clips int, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(clips) / seconds
}
