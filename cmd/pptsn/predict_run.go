package main

import (
	"context"
	"iter"

	"github.com/pptsn/pptsn"
)

// An outcome is what became of one input.
type outcome struct {
	file   string
	result *pptsn.Result
	err    error
}

// classifyAll classifies files and reports the outcomes in their order. One
// more than ahead are in work at a time, so that decoding overlaps with the
// network of the video before. It returns the context's error, or report's.
func classifyAll(ctx context.Context, m *pptsn.Model, files iter.Seq2[string, error], ahead int, report func(outcome) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan chan outcome, ahead) // what is in work, in order
	go func() {
		defer close(queue)
		for file, err := range files {
			done := make(chan outcome, 1)
			select {
			case queue <- done:
			case <-ctx.Done():
				return
			}
			go func() { done <- classify(ctx, m, file, err) }()
		}
	}()
	for done := range queue {
		out := <-done
		if ctx.Err() != nil {
			break
		}
		if err := report(out); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func classify(ctx context.Context, m *pptsn.Model, file string, err error) outcome {
	if err != nil {
		return outcome{file: file, err: err}
	}
	res, err := m.Classify(ctx, file)
	return outcome{file: file, result: res, err: err}
}
