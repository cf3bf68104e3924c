package onednn

import (
	"context"
	"runtime"
	"sync"

	"github.com/pptsn/pptsn/graph"
)

// A worker is the goroutine that does all of an engine's work in oneDNN. It
// keeps its OS thread: OpenMP has a pool of threads, and a number of threads,
// for each thread that calls it.
type worker struct {
	jobs chan func(*machine)
	quit chan struct{} // closed: take no more jobs
	done chan struct{} // closed: everything is freed
	once sync.Once
}

func startWorker(g *graph.Graph, w graph.Weights, o Options) (*worker, error) {
	k := &worker{jobs: make(chan func(*machine)), quit: make(chan struct{}), done: make(chan struct{})}
	started := make(chan error)
	go k.run(g, w, o, started)
	return k, <-started
}

func (k *worker) run(g *graph.Graph, w graph.Weights, o Options, started chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread and its OpenMP pool end with the goroutine
	defer close(k.done)
	m, err := newMachine(g, w, o)
	started <- err
	if err != nil {
		return
	}
	defer m.close()
	for {
		select {
		case job := <-k.jobs:
			job(m)
		case <-k.quit:
			return
		}
	}
}

// do runs job on the worker and waits for its end.
func (k *worker) do(ctx context.Context, job func(*machine)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-k.quit:
		return ErrClosed
	default:
	}
	ended := make(chan struct{})
	select {
	case k.jobs <- func(m *machine) { defer close(ended); job(m) }:
		<-ended
		return nil
	case <-k.quit:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (k *worker) stop() {
	k.once.Do(func() { close(k.quit) })
	<-k.done
}
