package probe

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// grace is how long work that is no longer wanted may take to notice. What takes
// longer is left behind: a file system that hangs, for one.
const grace = 3 * time.Second

// errLate is that of work that took too long.
var errLate = errors.New("too late")

// A panicked is a fault of the code that decodes: that of the file, not the end
// of a run of hours.
type panicked struct{ value any }

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

type outcome[T any] struct {
	value T
	err   error
}

// timed runs work for no longer than limit and grace. Beside work's own errors
// it gives ctx's, errLate and a *panicked.
func timed[T any](ctx context.Context, limit time.Duration, work func(context.Context) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	inTime, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan outcome[T], 1)
	go func() { done <- guarded(inTime, work) }()
	o := await(inTime, done)
	switch {
	case o.err == nil:
		return o.value, nil
	case ctx.Err() != nil:
		return none, ctx.Err()
	case inTime.Err() != nil:
		return none, errLate
	}
	return none, o.err
}

func guarded[T any](ctx context.Context, work func(context.Context) (T, error)) (o outcome[T]) {
	defer func() {
		if v := recover(); v != nil {
			o.err = &panicked{v}
		}
	}()
	o.value, o.err = work(ctx)
	return o
}

func await[T any](ctx context.Context, done <-chan outcome[T]) outcome[T] {
	select {
	case o := <-done:
		return o
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case o := <-done:
		return o
	case <-timer.C:
		return outcome[T]{err: ctx.Err()}
	}
}
