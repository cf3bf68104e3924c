package torch_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// Scopes of many goroutines do not mix: each sees its own numbers and errors,
// and the state of the thread ends with the scope that set it.
func TestSessionConcurrent(t *testing.T) {
	session := session(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 20 {
				n := float32(100*i + k)
				err := session.Do(t.Context(), func(s *torch.Scope) error {
					x := s.From(tensor.FromFloat32([]float32{n, 2 * n}, 2))
					s.RequireGrad(x)
					if k%3 == 0 {
						s.Call("aten::mistake")
					}
					var y torch.Tensor
					s.WithGrad(func() { y = s.Call("aten::sum", s.Call("aten::mul.Tensor", x, x), nil) })
					s.Backward(y)
					if g := s.Float32s(s.Grads([]torch.Tensor{x})[0]); s.Err() == nil && !slices.Equal(g, []float32{2 * n, 4 * n}) {
						t.Errorf("gradient is %v, want %v", g, []float32{2 * n, 4 * n})
					}
					return nil
				})
				if (err != nil) != (k%3 == 0) {
					t.Errorf("call %d: error is %v", k, err)
				}
			}
		})
	}
	wg.Wait()
}

// Sessions have threads of their own: one in which gradients are recorded
// does not make another record.
func TestSessionsConcurrent(t *testing.T) {
	one, two := session(t), session(t)
	err := one.Do(t.Context(), func(s *torch.Scope) (err error) {
		s.WithGrad(func() {
			err = two.Do(t.Context(), func(s *torch.Scope) error {
				x := s.From(tensor.New(tensor.Float32, 1))
				s.RequireGrad(x)
				s.Backward(s.Call("aten::sum", x, nil))
				return nil
			})
		})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	var wg sync.WaitGroup
	for _, session := range []*torch.Session{one, two} {
		wg.Go(func() {
			for range 50 {
				err := session.Do(t.Context(), func(s *torch.Scope) error {
					x := s.From(tensor.New(tensor.Float32, 8, 8))
					s.Call("aten::mm", x, x)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// Close waits for the work in progress, which ends as if nothing had happened;
// what comes later is told.
func TestCloseWhileRunningConcurrent(t *testing.T) {
	session := session(t)
	running, finish, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- session.Do(context.Background(), func(s *torch.Scope) error {
			close(running)
			<-finish
			s.Call("aten::relu", s.From(tensor.New(tensor.Float32, 4)))
			return nil
		})
	}()
	<-running
	closed := make(chan error, 1)
	go func() { closed <- session.Close() }()
	select {
	case <-closed:
		t.Error("Close does not wait for the work in progress")
	case <-time.After(20 * time.Millisecond):
	}
	if err := session.Do(t.Context(), func(*torch.Scope) error { return nil }); !errors.Is(err, torch.ErrClosed) {
		t.Errorf("Do while closing: %v, want ErrClosed", err)
	}
	close(finish)
	if err := <-ended; err != nil {
		t.Errorf("the work in progress: %v", err)
	}
	<-closed
	if err := session.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestDoCancelled(t *testing.T) {
	session := session(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := session.Do(ctx, func(*torch.Scope) error { t.Error("runs"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want one of cancellation", err)
	}
}

func TestClosedEngineSaysSo(t *testing.T) {
	g, w := blob(4)
	e, err := torch.Compile(t.Context(), g, w, torch.EngineOptions{Session: torch.SessionOptions{Device: device(t)}})
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	if _, err := e.Run(t.Context(), tensor.New(tensor.Float32, 1, 3, 8, 8)); !errors.Is(err, torch.ErrClosed) {
		t.Errorf("Run after Close: %v, want ErrClosed", err)
	}
}
