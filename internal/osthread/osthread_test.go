package osthread

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"
)

// start begins a thread whose value counts the jobs; freed is closed at its end.
func start(t *testing.T) (thread *Thread[*int], freed chan struct{}) {
	t.Helper()
	freed = make(chan struct{})
	thread, err := Start(func() (*int, error) { return new(int), nil }, func(*int) { close(freed) })
	if err != nil {
		t.Fatal(err)
	}
	return thread, freed
}

// Jobs of many goroutines take turns on one thread of the system: the count
// needs no lock.
func TestJobsTakeTurnsConcurrent(t *testing.T) {
	thread, freed := start(t)
	threads := map[int]bool{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				err := thread.Do(t.Context(), func(n *int) {
					*n++
					threads[syscall.Gettid()] = true
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := thread.Do(t.Context(), func(n *int) {
		if *n != 16*50 {
			t.Errorf("%d jobs were done, want %d", *n, 16*50)
		}
	}); err != nil {
		t.Error(err)
	}
	if len(threads) != 1 {
		t.Errorf("jobs ran on %d threads", len(threads))
	}
	thread.Stop()
	thread.Stop()
	<-freed
	if err := thread.Do(t.Context(), func(*int) { t.Error("runs after Stop") }); !errors.Is(err, ErrStopped) {
		t.Errorf("Do after Stop: %v, want ErrStopped", err)
	}
}

func TestStartFails(t *testing.T) {
	mistake := errors.New("mistake")
	thread, err := Start(func() (int, error) { return 0, mistake }, func(int) { t.Error("freed what was not made") })
	if thread != nil || !errors.Is(err, mistake) {
		t.Errorf("thread %v, error %v, want none and %v", thread, err, mistake)
	}
}

// A job that waits for its turn may be called off; one that has begun may not.
func TestCancelWhileWaiting(t *testing.T) {
	thread, _ := start(t)
	defer thread.Stop()
	begun, finish := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		first <- thread.Do(ctx, func(*int) { close(begun); <-finish })
	}()
	<-begun
	second := make(chan error, 1)
	go func() { second <- thread.Do(ctx, func(*int) { t.Error("runs though it was called off") }) }()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("the job that waited: %v, want one of cancellation", err)
	}
	close(finish)
	if err := <-first; err != nil {
		t.Errorf("the job that had begun: %v", err)
	}
}

func TestStopWaitsForTheJobConcurrent(t *testing.T) {
	thread, freed := start(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	go func() {
		if err := thread.Do(context.Background(), func(*int) { close(begun); <-finish }); err != nil {
			t.Error(err)
		}
	}()
	<-begun
	stopped := make(chan struct{})
	go func() { thread.Stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Error("Stop does not wait")
	case <-freed:
		t.Error("the value is freed under a job")
	case <-time.After(20 * time.Millisecond):
	}
	close(finish)
	<-stopped
	<-freed
}
