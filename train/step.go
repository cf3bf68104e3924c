package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/tensor"
)

// step learns from one batch. At the end of an epoch it updates with what has
// gathered, which the reference would drop.
func (r *run) step(ctx context.Context, b *dataset.Batch, total int) (Report, error) {
	stop := flag(ctx.Err() != nil)
	ctx = context.WithoutCancel(ctx) // a step is done or not begun
	group := max(r.Accumulate, 1)
	first := r.state.Iterations / group * group // of this update
	size := min(group, total-first)
	last := r.state.Iterations == first+size-1
	report := Report{
		Split: SplitTrain, Epoch: r.state.Epochs + 1, Epochs: r.Epochs, Batch: r.state.Iterations, Batches: total,
		LR: r.Rate.At(r.state.Total), Clips: len(b.Labels), Bad: len(b.Bad),
	}
	err := r.learn(ctx, b, size, last, &report)
	if !r.alone() {
		err = r.gather(ctx, last, stop, &report, err)
	}
	if err != nil {
		return report, err
	}
	if last {
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

// learn adds the gradients of a batch, one of size in its update, and reports
// its figures.
func (r *run) learn(ctx context.Context, b *dataset.Batch, size int, last bool, report *Report) error {
	n := len(b.Labels)
	if some, err := r.some(ctx, n); err != nil || !some {
		return err
	}
	labels := Labels{A: b.Labels, B: b.Mixed, Lambda: b.Lambda}
	classes := r.Network.Spec.Classes
	share := float64(n) / float64(r.Loader.Batch()) / float64(size)
	out, err := r.learner.Accumulate(ctx, MicroBatch{
		Views: r.views(b), Targets: Targets(labels, classes, r.smoothing()), Scores: r.Distillation.scores(b, classes),
		Seed: r.random(), Share: share, Last: last, Name: r.where(),
	})
	report.Loss = out.Loss
	if err != nil {
		return r.explain(err, b, report.LR)
	}
	report.Top1, report.Top5 = TopK(out.Logits, classes, labels, 1), TopK(out.Logits, classes, labels, 5)
	return nil
}

// smoothing is of the targets; terms of a distillation smooth them themselves.
func (r *run) smoothing() float64 {
	if r.Distillation != nil {
		return 0
	}
	return r.Smoothing
}

// some says that there is something to compute for a batch of n clips: with
// SyncBN also on a rank without clips, since the batch norms of all wait for it.
func (r *run) some(ctx context.Context, n int) (bool, error) {
	if r.alone() || !r.SyncBN {
		return n > 0, nil
	}
	all := []float64{float64(n)}
	err := r.group.Sum(ctx, "clips of "+r.where(), all)
	return all[0] > 0, err
}

// views are those of a batch, perhaps of no clip.
func (r *run) views(b *dataset.Batch) *tensor.Dense {
	if b.Views != nil {
		return b.Views
	}
	return tensor.New(tensor.Float32, append([]int{0}, r.Network.Graph.Inputs[0].Shape[1:]...)...)
}

// gather makes gradients and figures those of all ranks. A loss that is not
// finite on one of them is an error on all, of which err is this rank's.
func (r *run) gather(ctx context.Context, last bool, stop float64, report *Report, err error) error {
	if err != nil && !errors.Is(err, ErrNotFinite) {
		return err
	}
	where := r.where()
	if last {
		if err := r.learner.Reduce(ctx, where); err != nil {
			return fmt.Errorf("train: %s: %w", where, err)
		}
	}
	n := float64(report.Clips)
	t := tally{clips: n, loss: n * report.Loss, top1: n * report.Top1, top5: n * report.Top5, bad: float64(report.Bad), stop: stop}
	if err := r.add(ctx, "figures of "+where, &t); err != nil {
		return fmt.Errorf("train: %s: %w", where, err)
	}
	if math.IsNaN(t.loss) || math.IsInf(t.loss, 0) {
		return r.spread(ctx, err)
	}
	report.Clips, report.Bad = int(t.clips), int(t.bad)
	report.Loss, report.Top1, report.Top5 = 0, 0, 0
	if t.clips > 0 {
		report.Loss, report.Top1, report.Top5 = t.loss/t.clips, t.top1/t.clips, t.top5/t.clips
	}
	r.stop = r.stop || t.stop > 0
	return nil
}

// spread gives the error of ranks whose loss is not finite to all.
func (r *run) spread(ctx context.Context, err error) error {
	agreed := r.agree(ctx, "a loss that is not finite", err)
	if err != nil {
		return agreed
	}
	return fmt.Errorf("%w on another rank: %w", ErrNotFinite, agreed)
}

// random is a number of the iteration and the rank, for dropout.
func (r *run) random() uint64 {
	return rand.New(rand.NewPCG(r.Seed, uint64(r.state.Total)|uint64(r.rank())<<48)).Uint64()
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
