package torch_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// A rank that is killed is named by all others, soon; these can still compute,
// and leave.
func TestRankKilled(t *testing.T) {
	processes(t, 4, time.Minute, func(m *member) { fails(m, 2, syscall.SIGKILL, 20*time.Second) }, 2)
}

// One that hangs is named after the timeout.
func TestRankStopped(t *testing.T) {
	processes(t, 3, 2*time.Second, func(m *member) { fails(m, 1, syscall.SIGSTOP, 20*time.Second) }, 1)
}

// The rank that keeps the others waiting and lives is named too.
func TestRankThatDoesNotCome(t *testing.T) {
	processes(t, 3, time.Second, func(m *member) {
		if m.rank == 1 {
			for rank := range m.size {
				if rank != m.rank {
					m.store.Get(m.Context(), over(rank))
				}
			}
			return
		}
		defer m.store.Set(over(m.rank), nil)
		err := m.group.Barrier(m.Context(), "step 7")
		isNamed(m, err, 1, "step 7", "alive")
	})
}

// So is one that never gets to the end of its backward pass, which others have
// done.
func TestRankWithinBackward(t *testing.T) {
	processes(t, 2, time.Second, func(m *member) {
		err := m.session.Do(m.Context(), func(s *torch.Scope) error {
			l := newLearner(s, torch.Float32)
			r := torch.NewReducer(s, m.group, l.leaves, torch.ReducerOptions{})
			defer r.Close()
			r.Begin(s, "gradients of step 7")
			if m.rank == 1 {
				_, err := m.store.Get(m.Context(), over(0))
				return err
			}
			defer m.store.Set(over(0), nil)
			l.backward(s, 0, clips, true)
			r.Finish(s, clips)
			return nil
		})
		if m.rank == 0 {
			isNamed(m, err, 1, "gradients of step 7", "alive")
		} else if err != nil {
			m.Error(err)
		}
	})
}

func over(rank int) string { return "over " + string(rune('0'+rank)) }

// fails sends a rank a signal in the middle of a run of collectives.
func fails(m *member, doomed int, signal syscall.Signal, within time.Duration) {
	var err error
	var began time.Time
	for step := range 10 {
		began = time.Now()
		if m.rank == doomed && step == 4 {
			syscall.Kill(os.Getpid(), signal)
		}
		err = m.session.Do(m.Context(), func(s *torch.Scope) error {
			m.group.AllReduce(s, "step", []torch.Tensor{s.From(tensor.New(tensor.Float32, 1<<20))})
			return nil
		})
		if err != nil {
			break
		}
	}
	m.Logf("after %v: %v", time.Since(began), err)
	if d := time.Since(began); d > within {
		m.Errorf("rank %d: the error comes after %v, want within %v", m.rank, d, within)
	}
	isNamed(m, err, doomed, "step", "no sign of life")
	began = time.Now()
	if err := m.group.Barrier(m.Context(), "afterwards"); time.Since(began) > time.Second {
		m.Errorf("rank %d: a collective after the failure takes %v", m.rank, time.Since(began))
	} else {
		isNamed(m, err, doomed, "afterwards", "before")
	}
	m.do(func(s *torch.Scope) {
		if v := s.Float32s(s.Call("aten::relu", s.From(tensor.FromFloat32([]float32{-1, 2}, 2)))); !slices.Equal(v, []float32{0, 2}) {
			m.Errorf("rank %d: relu after the failure: %v", m.rank, v)
		}
	})
	began = time.Now()
	if m.group.Close(); time.Since(began) > 10*time.Second {
		m.Errorf("rank %d: Close takes %v", m.rank, time.Since(began))
	}
}

// isNamed checks that the error is for what, and that the rank and its reason
// are in it.
func isNamed(m *member, err error, missing int, what, why string) {
	m.Helper()
	var failure *torch.CollectiveError
	if !errors.As(err, &failure) {
		m.Errorf("rank %d: error is %v, want a CollectiveError", m.rank, err)
		return
	}
	if !slices.Equal(failure.Missing, []int{missing}) || failure.Rank != m.rank || failure.What != what || !strings.Contains(err.Error(), why) {
		m.Errorf("rank %d: error is %v, want that rank %d is missing (%s)", m.rank, err, missing, why)
	}
}
