// Package osthread runs jobs on one OS thread of their own, one after another.
//
// Libraries that compute with OpenMP need it: a pool of threads, and the
// number of them, belongs to the thread that calls, and goroutines wander.
// libtorch also keeps whether it records gradients for each thread.
package osthread

import (
	"context"
	"errors"
	"runtime"
	"sync"
)

// ErrStopped is returned by Do after Stop.
var ErrStopped = errors.New("stopped")

// A Thread owns a value of type T, which only its jobs may use.
type Thread[T any] struct {
	jobs chan func(T)
	quit chan struct{} // closed: take no more jobs
	done chan struct{} // closed: the value is closed
	once sync.Once
}

// Start begins a thread. create and free are called on it.
func Start[T any](create func() (T, error), free func(T)) (*Thread[T], error) {
	t := &Thread[T]{jobs: make(chan func(T)), quit: make(chan struct{}), done: make(chan struct{})}
	started := make(chan error)
	go t.run(create, free, started)
	if err := <-started; err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Thread[T]) run(create func() (T, error), free func(T), started chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread and its OpenMP pool end with the goroutine
	defer close(t.done)
	v, err := create()
	started <- err
	if err != nil {
		return
	}
	defer free(v)
	for {
		select {
		case job := <-t.jobs:
			job(v)
		case <-t.quit:
			return
		}
	}
}

// Do runs job on the thread and waits for its end. The error is the context's,
// if it ended before the job began, or ErrStopped.
func (t *Thread[T]) Do(ctx context.Context, job func(T)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-t.quit:
		return ErrStopped
	default:
	}
	ended := make(chan struct{})
	select {
	case t.jobs <- func(v T) { defer close(ended); job(v) }:
		<-ended
		return nil
	case <-t.quit:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop waits for a job in progress and frees the value. It may be called
// twice, and while others call Do.
func (t *Thread[T]) Stop() {
	t.once.Do(func() { close(t.quit) })
	<-t.done
}
