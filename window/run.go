package window

import (
	"context"
	"sync"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/video"
)

// A Forward computes the scores of clips, as engine.Engine.Scores does.
type Forward func(ctx context.Context, clips []*clip.Clip) ([][]float32, error)

// Run classifies the windows of a video, prepared as spec says, and gives each
// with its scores to take, in order. The file is decoded once while the network
// computes; twice where its packets do not tell the frames' times. Memory follows
// the windows that overlap, not the video's length. Errors of take are returned
// as they are.
func Run(ctx context.Context, f *video.File, spec clip.Spec, o Options, forward Forward, take func(Window, []float32) error) error {
	if err := o.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batch := max(o.Batch, 1)
	jobs := make(chan job, batch)
	var readErr error
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(jobs)
		readErr = newReader(f, spec, o).read(ctx, func(j job) error {
			select {
			case jobs <- j:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	err := compute(ctx, jobs, batch, forward, take)
	cancel() // what is still being read is of no use
	wg.Wait()
	if err != nil {
		return err
	}
	return readErr
}

// compute runs the network on full batches, and on what is left at the end: which
// windows come together does not depend on timing.
func compute(ctx context.Context, jobs <-chan job, batch int, forward Forward, take func(Window, []float32) error) error {
	for {
		var windows []Window
		var clips []*clip.Clip
		for j := range jobs {
			windows, clips = append(windows, j.w), append(clips, j.clip)
			if len(clips) == batch {
				break
			}
		}
		if len(clips) == 0 {
			return nil
		}
		scores, err := forward(ctx, clips)
		if err != nil {
			return err
		}
		for i, w := range windows {
			if err := take(w, scores[i]); err != nil {
				return err
			}
		}
	}
}
