package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// carryOut does the tasks that have no result yet, o.jobs at a time, in their
// order. The first failure ends all.
func (o options) carryOut(ctx context.Context, tasks []task) error {
	tasks, err := o.unfinished(tasks)
	if err != nil || len(tasks) == 0 {
		return err
	}
	classes, err := o.prepare(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	finished := map[string]chan struct{}{}
	for _, t := range tasks {
		finished[t.Name] = make(chan struct{})
	}
	o.inTurn(ctx, tasks, func(t task) {
		defer close(finished[t.Name])
		if err := o.do(ctx, t, classes, finished[t.teacher().Name]); err != nil {
			cancel(err)
		}
	})
	return context.Cause(ctx)
}

// inTurn calls do for one task after the other, o.jobs at a time.
func (o options) inTurn(ctx context.Context, tasks []task, do func(task)) {
	queue := make(chan task)
	var wg sync.WaitGroup
	for range o.jobs {
		wg.Go(func() {
			for t := range queue {
				do(t)
			}
		})
	}
	feed(ctx, queue, tasks)
	wg.Wait()
}

func feed(ctx context.Context, queue chan<- task, tasks []task) {
	defer close(queue)
	for _, t := range tasks {
		select {
		case queue <- t:
		case <-ctx.Done():
			return
		}
	}
}

func (o options) unfinished(tasks []task) ([]task, error) {
	var left []task
	for _, t := range tasks {
		r, err := readRecord(o.recordPath(t))
		if err != nil {
			return nil, err
		}
		if r == nil {
			left = append(left, t)
		}
	}
	fmt.Fprintf(os.Stderr, "study: %d runs, %d of them to do\n", len(tasks), len(left))
	return left, nil
}

// do carries out a task whose teacher is trained once the channel is closed;
// it is nil if that was done earlier.
func (o options) do(ctx context.Context, t task, classes int, teacher <-chan struct{}) error {
	if t.Distill == "kd" && teacher != nil {
		<-teacher
	}
	start := time.Now()
	r, err := o.execute(ctx, t, classes)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s %s: centre %d, ten crops %d of %d, %.0f s\n", time.Now().Format("15:04:05"), t.Name, r.Center.Correct, r.TenCrop.Correct, r.TenCrop.Videos, time.Since(start).Seconds())
	return writeRecord(o.recordPath(t), r)
}
