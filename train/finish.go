package train

import (
	"context"
	"errors"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/evaluate"
)

// finishEpoch does what follows the iterations of an epoch: precise batch norm,
// validation, checkpoints. It can be repeated: all of it follows from the
// weights.
func (r *run) finishEpoch(ctx context.Context) error {
	epoch := r.state.Epochs + 1 // from 1
	r.Log.Epoch(SplitTrain, epoch, r.state.Sums)
	r.wrote(r.Scalars.Epoch(SplitTrain, epoch, r.state.Total, r.state.Sums))
	if p := r.PreciseBN; p != nil && r.due(epoch, p.Interval) {
		if err := r.precise(ctx, p.Batches); err != nil {
			return err
		}
	}
	best := r.state.Best
	if v := r.Validation; v != nil && r.due(epoch, v.Interval) {
		top1, err := r.validate(ctx, epoch)
		switch {
		case errors.Is(err, evaluate.ErrNotNumbers): // activations overflow, as they may early on
			r.Log.Printf("The validation of epoch %d does not count: %v", epoch, err)
		case err != nil:
			return err
		case best.Epoch == 0 || top1 > best.Top1:
			best = checkpoint.Best{Top1: top1, Epoch: epoch}
		}
	}
	return r.endEpoch(ctx, epoch, best)
}

// endEpoch counts an epoch as done and saves what is due.
func (r *run) endEpoch(ctx context.Context, epoch int, best checkpoint.Best) error {
	isBest := best != r.state.Best
	r.state.Epochs, r.state.Iterations, r.state.Sums, r.state.Best = epoch, 0, checkpoint.Sums{}, best
	if isBest {
		if err := r.save(ctx, checkpoint.BestName(r.Name), keepOthers); err != nil {
			return err
		}
		r.Log.Best(best.Top1)
	}
	if !r.saved(epoch) {
		return nil
	}
	return r.save(ctx, checkpoint.EpochName(r.Name, epoch), pruneOld)
}

// precise averages the statistics of batch norms over the epoch's first
// batches, of each rank so many.
func (r *run) precise(ctx context.Context, batches int) error {
	p := preciseBN{names: statistics(r.learner.net.Graph())}
	for b, err := range r.Loader.Epoch(r.work(ctx), r.state.Epochs, 0) {
		if err == nil {
			err = r.asked(ctx)
		}
		some := false
		if err == nil {
			some, err = r.some(r.work(ctx), len(b.Labels))
		}
		if err != nil {
			return err
		}
		if some {
			err = p.observe(r.work(ctx), r.learner, r.views(b), r.random())
		}
		b.Release()
		if err != nil {
			return err
		}
		if b.Index+1 >= min(batches, r.Batches()) {
			break
		}
	}
	return p.settle(context.WithoutCancel(ctx), r.learner)
}
