package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/graph"
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
	return r.endEpoch(context.WithoutCancel(ctx), epoch, best)
}

// endEpoch counts an epoch as done and saves what is due.
func (r *run) endEpoch(ctx context.Context, epoch int, best checkpoint.Best) error {
	isBest := best != r.state.Best
	r.state.Epochs, r.state.Iterations, r.state.Sums, r.state.Best = epoch, 0, checkpoint.Sums{}, best
	if isBest {
		if err := r.save(ctx, checkpoint.BestName(r.Name)); err != nil {
			return err
		}
		r.Log.Best(best.Top1)
	}
	if !r.saved(epoch) {
		return nil
	}
	name := checkpoint.EpochName(r.Name, epoch)
	if err := r.save(ctx, name); err != nil {
		return err
	}
	return checkpoint.Prune(r.Dir, r.Name, name)
}

// precise averages the statistics of batch norms over the epoch's first
// batches.
func (r *run) precise(ctx context.Context, batches int) error {
	var p preciseBN
	for b, err := range r.Loader.Epoch(ctx, r.state.Epochs, 0) {
		if err != nil {
			return err
		}
		if b.Views != nil {
			err = p.observe(ctx, r.learner, b.Views, r.random())
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

// validate returns the top-1 accuracy. Clips that cannot be read count as
// wrong, and each clip counts once, however the batches fall.
func (r *run) validate(ctx context.Context, epoch int) (float64, error) {
	begin := time.Now()
	w, err := r.learner.Weights(ctx)
	if err != nil {
		return 0, err
	}
	forward, network, err := r.forward(ctx, w)
	if err != nil {
		return 0, fmt.Errorf("train: validation: %w", err)
	}
	result, err := evaluate.Run(ctx, r.Validation.Set, forward, r.Validation.Options)
	if err = errors.Join(err, network.Close()); err != nil {
		return 0, fmt.Errorf("train: validation: %w", err)
	}
	for _, v := range result.Failed {
		if !r.wrong[v.Line] {
			r.wrong[v.Line] = true
			r.Log.Printf("Counted as wrong in validation, a clip that cannot be read: %s", v.Error)
		}
	}
	sums := validationSums(result, time.Since(begin))
	r.Log.Epoch(SplitVal, epoch, sums)
	r.wrote(r.Scalars.Epoch(SplitVal, epoch, r.state.Total, sums))
	return sums.Top1.Mean(), nil
}

// forward readies weights for scoring: on the GPU that trains, else on oneDNN,
// which is faster on the CPU than libtorch.
func (r *run) forward(ctx context.Context, w graph.Weights) (evaluate.Forward, io.Closer, error) {
	if s := r.learner.session; s.Device().CUDA {
		return evaluate.OnTorch(ctx, s, r.Validation.Network, w)
	}
	e, err := engine.Open(ctx, r.Validation.Network.Graph, w, engine.Options{Kind: engine.OneDNN, Threads: r.Session.Threads})
	if err != nil {
		return nil, nil, err
	}
	return e.Scores, e, nil
}

func validationSums(result *evaluate.Result, took time.Duration) checkpoint.Sums {
	n := float64(result.Videos)
	sums := checkpoint.Sums{Clips: result.Videos}
	sums.Loss.Add(result.MeanLoss, n)
	sums.Batch.Add(took.Seconds(), 1)
	for _, a := range result.Top {
		switch a.K {
		case 1:
			sums.Top1.Add(a.Accuracy, n)
		case 5:
			sums.Top5.Add(a.Accuracy, n)
		}
	}
	return sums
}
