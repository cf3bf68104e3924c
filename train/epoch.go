package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
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
		if bad, err = r.tellBad(b, bad); err != nil {
			return err
		}
		report, err := r.step(ctx, b, total)
		b.Release()
		if err != nil {
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
	r.Log.Waits(r.state.Epochs+1, r.Epochs, Waits{Total: time.Since(begin), Data: waited, Loader: r.Loader.Times()})
	return nil
}

// step learns from one batch. At the end of an epoch it updates with what has
// gathered, which the reference would drop.
func (r *run) step(ctx context.Context, b *dataset.Batch, total int) (Report, error) {
	ctx = context.WithoutCancel(ctx) // a step is done or not begun
	group := max(r.Accumulate, 1)
	first := r.state.Iterations / group * group // of this update
	size := min(group, total-first)
	report := Report{
		Split: SplitTrain, Epoch: r.state.Epochs + 1, Epochs: r.Epochs, Batch: r.state.Iterations, Batches: total,
		LR: r.Rate.At(r.state.Total), Clips: len(b.Labels),
	}
	if len(b.Labels) > 0 {
		labels := Labels{A: b.Labels, B: b.Mixed, Lambda: b.Lambda}
		classes := r.Network.Spec.Classes
		out, err := r.learner.Accumulate(ctx, MicroBatch{
			Views: b.Views, Targets: Targets(labels, classes, r.Smoothing), Seed: r.random(), Share: 1 / float64(size),
		})
		if err != nil {
			return report, r.explain(err, b, report.LR)
		}
		report.Loss = out.Loss
		report.Top1, report.Top5 = TopK(out.Logits, classes, labels, 1), TopK(out.Logits, classes, labels, 5)
	}
	if r.state.Iterations == first+size-1 {
		if _, err := r.learner.Update(ctx, report.LR); err != nil {
			return report, fmt.Errorf("train: %s: %w", r.where(), err)
		}
	}
	r.state.Iterations++
	r.state.Total++
	report.Iterations = r.state.Total
	_, peak, err := r.learner.session.Memory()
	report.Allocated = peak
	return report, err
}

// random is a number of the iteration, for dropout.
func (r *run) random() uint64 {
	return rand.New(rand.NewPCG(r.Seed, uint64(r.state.Total))).Uint64()
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
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.saveNow() && r.state.Iterations < total {
		name := checkpoint.IterName(r.Name, r.state.Epochs+1, r.state.Iterations)
		if err := r.save(ctx, name); err != nil {
			return err
		}
		return checkpoint.Prune(r.Dir, r.Name, name)
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

// tellBad names clips that cannot be read, each once in a run, and ends the run
// where there are too many in an epoch.
func (r *run) tellBad(b *dataset.Batch, before int) (int, error) {
	for _, bad := range b.Bad {
		if !r.named[bad.Sample] {
			r.named[bad.Sample] = true
			r.Log.Printf("Skipped a clip that cannot be read: %v", bad.Err)
		}
	}
	count := before + len(b.Bad)
	if most := r.MaxBad * float64(r.Data.Len()); float64(count) > most {
		return count, fmt.Errorf("train: %d of %d clips cannot be read (named above), more than the share %g that --max-bad allows: mend the list, or allow more",
			count, r.Data.Len(), r.MaxBad)
	}
	return count, nil
}

// explain adds to a loss that is no number what a user needs to go after it.
func (r *run) explain(err error, b *dataset.Batch, rate float64) error {
	if !errors.Is(err, ErrNotFinite) {
		return fmt.Errorf("train: %s: %w", r.where(), err)
	}
	var files []string
	for _, i := range b.Samples {
		files = append(files, r.Data.Sample(i).Path)
	}
	return fmt.Errorf(`train: %s: %w, at a learning rate of %g. The clips of this batch:
  %s
Nothing was updated by them and the checkpoints before are whole. To try: a lower learning rate or a longer warm-up;
OPTIMIZER.grad_clip={name: ClipGradByGlobalNorm, value: 40}; without --amp, or --amp_dtype bfloat16; other weights to start from`,
		r.where(), err, rate, strings.Join(files, "\n  "))
}
