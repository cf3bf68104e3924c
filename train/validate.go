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

// validate returns the top-1 accuracy. Clips that cannot be read count as
// wrong, and each clip counts once, however the batches fall.
func (r *run) validate(ctx context.Context, epoch int) (float64, error) {
	begin := time.Now()
	if err := r.shareStatistics(ctx); err != nil {
		return 0, err
	}
	w, err := r.learner.Weights(r.work(ctx))
	if err != nil {
		return 0, err
	}
	forward, network, err := r.forward(r.work(ctx), w)
	if err != nil {
		return 0, fmt.Errorf("train: validation: %w", err)
	}
	result, err := r.evaluate(ctx, forward)
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

// shareStatistics makes all ranks the model that rank 0 saves.
func (r *run) shareStatistics(ctx context.Context) error {
	err := r.asked(ctx)
	if err != nil || r.alone() {
		return err
	}
	if err := r.learner.shareStatistics(r.work(ctx)); err != nil {
		return fmt.Errorf("train: validation: %w", err)
	}
	return nil
}

// evaluate scores the list, each rank its part of it. All ranks are interrupted
// or none, although one may have been behind its last clip.
func (r *run) evaluate(ctx context.Context, forward evaluate.Forward) (*evaluate.Result, error) {
	o := r.Validation.Options
	if r.alone() {
		return evaluate.Run(ctx, r.Validation.Set, forward, o)
	}
	o.Rank, o.Size = r.group.Rank(), r.group.Size()
	o.Gather = func(ctx context.Context, rows []byte) ([][]byte, error) {
		return r.group.Gather(ctx, "scores of validation", rows)
	}
	result, err := evaluate.Run(ctx, r.Validation.Set, forward, o)
	interrupted := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if err != nil && !interrupted {
		return nil, err
	}
	return result, r.agreed(ctx, interrupted)
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
