package train

import (
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/checkpoint"
)

// Batches is how many iterations an epoch has.
func (j *Job) Batches() int {
	if j.MaxIters > 0 {
		return min(j.MaxIters, j.Loader.Batches())
	}
	return j.Loader.Batches()
}

// Check finds what would keep Train from beginning. It is for before the output
// folder is changed: a run that cannot begin must not cost an earlier one its
// checkpoints.
func (j *Job) Check() error {
	if err := j.Learner.AMP.check(j.Session.Device); err != nil {
		return err
	}
	if d := j.Distillation; d != nil {
		if err := d.check(j); err != nil {
			return err
		}
	}
	if j.Resume == nil {
		return nil
	}
	return j.fits(j.Resume)
}

// fits compares a checkpoint with the run that would go on from it. Of one that
// PaddleVideo wrote nothing is known but its epochs.
func (j *Job) fits(c *checkpoint.Checkpoint) error {
	if !c.State.Foreign {
		if err := c.State.Run.Check(j.Run); err != nil {
			return err
		}
	}
	if err := j.fitsPeers(c.Peers); err != nil || c.State.Foreign {
		return err
	}
	if world := max(c.State.World, 1); world != j.Loader.Size() {
		return nil // its epochs have another number of iterations; see checkpoint.State.In
	}
	if c.State.Batches != j.Batches() {
		return fmt.Errorf("train: resume: the checkpoint's run had %d iterations in an epoch, this one has %d: set --max_iters as it was", c.State.Batches, j.Batches())
	}
	return nil
}

// fitsPeers compares the networks that learned beside the student with those
// that would.
func (j *Job) fitsPeers(peers []checkpoint.Peer) error {
	var was, is []string
	for _, p := range peers {
		was = append(was, p.Name)
	}
	for _, p := range j.Distillation.parts() {
		is = append(is, p.Name)
	}
	if slices.Equal(was, is) {
		return nil
	}
	return fmt.Errorf("train: resume: beside the student the checkpoint has the networks %q, this run %q: undo the change, or start anew from its weights with -w", was, is)
}
