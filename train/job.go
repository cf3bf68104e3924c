// Package train teaches a network: the loop over epochs, mixed precision,
// validation, checkpoints, and going on from them.
//
// A run is a function of its seed: every random decision comes from (seed,
// epoch, sample) or (seed, iteration, rank), so a run that is interrupted and
// goes on gives the weights of one that was not. On the CPU they are the same
// bits.
//
// Several processes, ranks, may carry out one run: each has a learner of its
// own on its share of the clips, and all apply the same gradients, those of the
// mean over the clips of all ranks. What is shown is of all ranks, too.
//
// The order of things follows PaddleVideo's paddlevideo/tasks/train.py.
// Letters: n clips in a batch, T views a clip, K classes, H and W pixels.
package train

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/schedule"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// A Job is a training run. Fields without a default must be set.
type Job struct {
	Network *tsn.Network
	Weights graph.Weights // to start from; those of a checkpoint take their place
	Session SessionOptions
	Learner LearnerOptions
	Rate    *schedule.Schedule

	Data      *dataset.Set
	Loader    *dataset.Loader
	Smoothing float64 // of labels, in [0, 1); without Distillation, whose terms have their own
	// Accumulate is how many batches make one update; 0 means 1.
	Accumulate int

	// Distillation is what Network, the student, learns from besides labels; nil:
	// from labels alone, by cross entropy.
	Distillation *Distillation

	Epochs       int
	MaxIters     int        // batches of an epoch that are used; 0: all
	PreciseBN    *PreciseBN // nil: running statistics stay as they are
	Validation   *Validation
	SaveInterval int     // epochs between two checkpoints
	SaveEvery    int     // iterations between two checkpoints within an epoch; 0: none
	MaxBad       float64 // share of the list that may be unreadable in an epoch before the run stops

	Dir, Name string // where checkpoints go and how they are called
	Seed      uint64
	Run       checkpoint.Run         // what must be the same when the run goes on
	Resume    *checkpoint.Checkpoint // to go on from; nil: from the start

	Log     *Log     // nil: none
	Scalars *Scalars // nil: none

	// Join connects this process with the others that carry out the run together,
	// each with a Loader of its rank; nil: it is alone. Weights, Resume, Dir, Log
	// and Scalars are of rank 0: what other ranks have to begin with is replaced,
	// and they write nothing to Dir.
	Join func(ctx context.Context, s *torch.Session) (*torch.Group, error)
	Distributed
}

// SessionOptions say where a run computes.
type SessionOptions = torch.SessionOptions

// PreciseBN replaces the running statistics of batch norms by averages over
// training batches.
type PreciseBN struct {
	Interval int // epochs between two times
	Batches  int // at most so many, from the beginning of the epoch
}

// Validation measures the network on other clips than it learns from.
type Validation struct {
	Interval int          // epochs between two times
	Network  *tsn.Network // for the views of these clips
	Set      *dataset.Set
	Options  evaluate.Options
}

// ErrInterrupted reports a run whose context ended. What it had done is in a
// checkpoint.
var ErrInterrupted = errors.New("train: interrupted; what was done is saved")

// Train carries a job out, and lets go of Resume and of all weights. When ctx ends it
// finishes the update in progress, saves and returns ErrInterrupted; where the
// ctx of one rank ends, all do.
func (j *Job) Train(ctx context.Context) error {
	if err := j.Check(); err != nil {
		return err
	}
	session, err := torch.NewSession(j.Session)
	if err != nil {
		return err
	}
	defer session.Close()
	ranks, err := j.join(ctx, session)
	if err != nil {
		return err
	}
	defer ranks.close()
	l, err := j.learner(ctx, session, ranks.group)
	if err != nil {
		return err
	}
	r := &run{Job: j, ranks: ranks, learner: l, named: map[int]bool{}, wrong: map[int]bool{}}
	err = r.all(ctx)
	return errors.Join(err, r.metrics, l.Close())
}

// A run is a job under way.
type run struct {
	*Job
	ranks
	learner *Learner
	state   checkpoint.State
	named   map[int]bool // bad samples that were told of
	wrong   map[int]bool // lines of the validation list, likewise
	stop    bool         // a rank was asked to, and all know
	metrics error        // the first of writing the scalars
}

func (r *run) all(ctx context.Context) error {
	if err := r.begin(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if err := r.share(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	r.letGo() // the learner has them
	debug.FreeOSMemory()
	for r.state.Epochs < r.Epochs {
		err := r.asked(ctx)
		if err == nil {
			err = r.epoch(ctx)
		}
		if err == nil {
			err = r.finishEpoch(ctx)
		}
		if err != nil {
			return r.interrupted(ctx, err)
		}
	}
	return nil
}

// interrupted saves a run whose context ended; other errors are passed on.
func (r *run) interrupted(ctx context.Context, err error) error {
	if !errors.Is(err, errAsked) && (ctx.Err() == nil || !errors.Is(err, ctx.Err())) {
		return err
	}
	name := checkpoint.IterName(r.Name, r.state.Epochs+1, r.state.Iterations)
	if r.state.Iterations == 0 {
		if r.state.Epochs == 0 || r.saved(r.state.Epochs) {
			return ErrInterrupted // nothing is lost
		}
		name = checkpoint.EpochName(r.Name, r.state.Epochs)
	}
	if err := r.save(ctx, name, keepOthers); err != nil {
		return err
	}
	r.Log.Printf("%s", r.farewell(name))
	return ErrInterrupted
}

// farewell is the last line of a run that saved. What started several ranks alone
// knows why they end, and whether the run goes on.
func (r *run) farewell(name string) string {
	if r.Join == nil {
		return "Interrupted: saved " + name + "; --resume goes on from there"
	}
	return "Asked to end: saved " + name + "; the next round, or --resume, goes on from there"
}

// saved says that finishEpoch writes a checkpoint after an epoch, from 1.
func (r *run) saved(epoch int) bool { return r.due(epoch, r.SaveInterval) }

// due says whether something that is done every so many epochs comes after an
// epoch, from 1: as in the reference after the first, and always after the
// last.
func (r *run) due(epoch, interval int) bool {
	return (epoch-1)%interval == 0 || epoch == r.Epochs
}

// where names an iteration for messages.
func (r *run) where() string {
	return fmt.Sprintf("epoch %d step %d", r.state.Epochs+1, r.state.Iterations)
}
