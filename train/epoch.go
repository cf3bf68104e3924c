package train

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/dataset"
)

// epoch does what is left of the epoch under way: all its iterations, or those
// after the checkpoint that the run goes on from. It returns the context's
// error after a whole update.
func (r *run) epoch(ctx context.Context) error {
	total, from := r.Batches(), r.state.Iterations
	if from >= total {
		return nil // stopped while it was validated
	}
	r.Loader.Times() // of the epoch before: what its last batches took
	begin, waited := time.Now(), time.Duration(0)
	last := begin
	bad := 0
	for b, err := range r.Loader.Epoch(context.WithoutCancel(ctx), r.state.Epochs, from) {
		if err != nil {
			return err
		}
		wait := time.Since(last)
		waited += wait
		report, err := r.step(ctx, b, total)
		b.Release()
		if err != nil {
			return err
		}
		bad += report.Bad
		if err := r.tellBad(ctx, b, report.Bad, bad); err != nil {
			return err
		}
		report.Took, report.Waited = time.Since(last), wait
		last = time.Now()
		r.tell(report)
		if err := r.between(ctx, total); err != nil {
			return err
		}
		if r.state.Iterations == total {
			break
		}
	}
	r.Log.Waits(r.state.Epochs+1, r.Epochs, Waits{Total: time.Since(begin), Data: waited, Loader: r.Loader.Times(), Reduce: r.learner.reduce.times()})
	return nil
}

// tell writes a batch to the log and the scalars.
func (r *run) tell(report Report) {
	if report.Clips == 0 {
		return // all of its clips were bad, which was told
	}
	report.AddTo(&r.state.Sums)
	r.Log.Batch(report, r.state.Sums)
	r.wrote(r.Scalars.Batch(report))
}

// wrote keeps an error of writing the scalars for the end: a disk that is full
// for a while must not cost a run its weights.
func (r *run) wrote(err error) {
	if err != nil && r.metrics == nil {
		r.metrics = err
		r.Log.Printf("Training goes on without its metrics: %v", err)
	}
}

// between saves within an epoch where that is due, and ends the run where it
// is asked to: both only behind an update.
func (r *run) between(ctx context.Context, total int) error {
	updated := r.state.Iterations%max(r.Accumulate, 1) == 0 || r.state.Iterations == total
	if !updated {
		return nil
	}
	if r.stop {
		return errAsked
	}
	if r.alone() && ctx.Err() != nil {
		return ctx.Err()
	}
	if r.saveNow() && r.state.Iterations < total {
		return r.save(ctx, checkpoint.IterName(r.Name, r.state.Epochs+1, r.state.Iterations), pruneOld)
	}
	return nil
}

// saveNow says whether SaveEvery was reached since the update before this one.
func (r *run) saveNow() bool {
	if r.SaveEvery == 0 {
		return false
	}
	before := r.state.Total - max(r.Accumulate, 1)
	return r.state.Total/r.SaveEvery > before/r.SaveEvery
}

// tellBad names the clips of a batch that cannot be read, n on all ranks, each
// once in a run, and ends the run where there are too many in an epoch.
func (r *run) tellBad(ctx context.Context, b *dataset.Batch, n, inEpoch int) error {
	if n == 0 {
		return nil
	}
	clips := map[int]string{}
	for _, bad := range b.Bad {
		clips[bad.Sample] = bad.Err.Error()
	}
	all := []map[int]string{clips}
	if !r.alone() {
		var err error
		if all, err = exchange(ctx, r.group, "clips that cannot be read", clips); err != nil {
			return err
		}
	}
	for _, clips := range all {
		for _, sample := range slices.Sorted(maps.Keys(clips)) {
			if !r.named[sample] {
				r.named[sample] = true
				r.Log.Printf("Skipped a clip that cannot be read: %s", clips[sample])
			}
		}
	}
	if most := r.MaxBad * float64(r.Data.Len()); float64(inEpoch) > most {
		return fmt.Errorf("train: %d of %d clips cannot be read (named above), more than the share %g that --max-bad allows: mend the list, or allow more",
			inEpoch, r.Data.Len(), r.MaxBad)
	}
	return nil
}
