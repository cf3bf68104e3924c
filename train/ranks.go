package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pptsn/pptsn/torch"
)

// ranks are the processes that carry a run out together. Without a group this
// one is alone.
//
// What they decide (to stop, to give up, which clips to name) they decide
// together: one that went its own way would leave the others waiting for it.
type ranks struct{ group *torch.Group }

func (k ranks) alone() bool { return k.group == nil }

// rank is this process's number. Rank 0 alone writes files.
func (k ranks) rank() int {
	if k.alone() {
		return 0
	}
	return k.group.Rank()
}

func (k ranks) close() {
	if !k.alone() {
		k.group.Close()
	}
}

// errAsked reports a run that was asked to stop, on any rank.
var errAsked = errors.New("train: asked to stop")

// asked is an error, on all ranks, if any rank's context ended.
func (k ranks) asked(ctx context.Context) error {
	if k.alone() {
		return ctx.Err()
	}
	return k.agreed(ctx, ctx.Err() != nil)
}

// agreed is an error, on all ranks, if any rank was asked to stop.
func (k ranks) agreed(ctx context.Context, stop bool) error {
	v := []float64{flag(stop)}
	if err := k.group.Sum(context.WithoutCancel(ctx), "whether to stop", v); err != nil {
		return err
	}
	if v[0] > 0 {
		return errAsked
	}
	return nil
}

func flag(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// work is the context for what ranks do together: a process that is alone may
// be interrupted in it, several agree first.
func (k ranks) work(ctx context.Context) context.Context {
	if k.alone() {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// agree waits for all ranks. If one of them has an error all return one: that
// rank the error itself, others what it says.
func (k ranks) agree(ctx context.Context, what string, err error) error {
	if k.alone() {
		return err
	}
	var text []byte
	if err != nil {
		text = []byte(err.Error())
	}
	all, gathered := k.group.Gather(context.WithoutCancel(ctx), what, text)
	if err != nil || gathered != nil {
		return errors.Join(err, gathered)
	}
	for rank, text := range all {
		if len(text) > 0 {
			return fmt.Errorf("rank %d: %s", rank, text)
		}
	}
	return nil
}

// exchange gives each rank's value to all.
func exchange[T any](ctx context.Context, g *torch.Group, what string, v T) ([]T, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("train: %s: %w", what, err)
	}
	texts, err := g.Gather(context.WithoutCancel(ctx), what, b)
	if err != nil {
		return nil, err
	}
	all := make([]T, len(texts))
	for rank, text := range texts {
		if err := json.Unmarshal(text, &all[rank]); err != nil {
			return nil, fmt.Errorf("train: %s: rank %d: %w", what, rank, err)
		}
	}
	return all, nil
}

// A tally is what the ranks add up in every step.
type tally struct {
	clips, loss, top1, top5 float64 // sums over clips
	bad                     float64 // clips that could not be read
	stop                    float64 // ranks that were asked to stop
}

func (k ranks) add(ctx context.Context, what string, t *tally) error {
	v := []float64{t.clips, t.loss, t.top1, t.top5, t.bad, t.stop}
	if err := k.group.Sum(ctx, what, v); err != nil {
		return err
	}
	*t = tally{v[0], v[1], v[2], v[3], v[4], v[5]}
	return nil
}
