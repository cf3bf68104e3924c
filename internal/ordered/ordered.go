// Package ordered works on many items at a time and hands the results on in
// the items' order.
package ordered

import (
	"context"
	"iter"
	"sync"
)

// Map applies f to each item on that many goroutines (at least one) and yields
// the results in the order of the items. Up to workers+ahead items are taken
// before their results are: memory does not depend on their number. It stops
// when ctx ends or the consumer breaks, and returns when all goroutines have.
func Map[In, Out any](ctx context.Context, in iter.Seq[In], workers, ahead int, f func(context.Context, In) Out) iter.Seq[Out] {
	workers, ahead = max(workers, 1), max(ahead, 0)
	return func(yield func(Out) bool) {
		ctx, cancel := context.WithCancel(ctx)
		jobs := make(chan job[In, Out])
		queue := make(chan chan Out, workers+ahead) // of what is begun, in order
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() { deal(ctx, in, jobs, queue) })
		for range workers {
			wg.Go(func() {
				for j := range jobs {
					j.done <- f(ctx, j.item)
				}
			})
		}
		for done := range queue {
			select {
			case out := <-done:
				if ctx.Err() != nil || !yield(out) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

type job[In, Out any] struct {
	item In
	done chan Out // has room for the result
}

// deal hands out the items while there is room in the queue.
func deal[In, Out any](ctx context.Context, in iter.Seq[In], jobs chan<- job[In, Out], queue chan<- chan Out) {
	defer close(jobs)
	defer close(queue)
	for item := range in {
		j := job[In, Out]{item, make(chan Out, 1)}
		select {
		case queue <- j.done:
		case <-ctx.Done():
			return
		}
		select {
		case jobs <- j:
		case <-ctx.Done():
			return
		}
	}
}
