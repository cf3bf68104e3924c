package torch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

func TestCollectives(t *testing.T) {
	for _, size := range []int{1, 2, 4} {
		processes(t, size, time.Minute, func(m *member) {
			broadcasts(m)
			sums(m)
			gathers(m)
			barrier(m)
			m.group.Close()
			if err := m.group.Barrier(m.Context(), "closed"); !errors.Is(err, torch.ErrClosed) {
				m.Errorf("rank %d: after Close: %v, want ErrClosed", m.rank, err)
			}
		})
	}
}

// Tensors of several types and layouts become those of rank 0.
func broadcasts(m *member) {
	m.do(func(s *torch.Scope) {
		iota := make([]float32, 2*3*4*5)
		for i := range iota {
			iota[i] = float32(i + 1000*m.rank)
		}
		x := s.From(tensor.FromFloat32(iota, 2, 3, 4, 5))
		all := []torch.Tensor{
			x, s.Call("aten::contiguous", x, 2), s.To(x, torch.BFloat16), s.To(x, torch.Float64), s.To(x, torch.Int64),
			s.From(tensor.New(tensor.Float32, 0)), s.Call("aten::gt.Scalar", x, 60.0),
		}
		s.RequireGrad(all[0]) // as parameters do
		m.group.Broadcast(s, "tensors", all)
		for i, t := range all {
			for k, v := range s.Float32s(t) {
				want := float32(k)
				if i == 2 {
					want = s.Float32s(s.To(s.To(s.From(tensor.FromFloat32([]float32{want}, 1)), torch.BFloat16), torch.Float32))[0]
				} else if i == 6 {
					want = 0
					if k > 60 {
						want = 1
					}
				}
				if v != want {
					m.Errorf("rank %d: tensor %d: element %d is %v after the broadcast, want %v", m.rank, i, k, v, want)
					break
				}
			}
		}
	})
}

func sums(m *member) {
	ranks := float64(m.size*(m.size-1)) / 2 // the sum of all ranks' numbers
	m.do(func(s *torch.Scope) {
		const n = 100_000 // more than one message of Gloo
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i%1000) * float32(m.rank)
		}
		a, b := s.From(tensor.FromFloat32(v, n)), s.From(tensor.FromFloat32([]float32{1}, 1))
		m.group.AllReduce(s, "tensors", []torch.Tensor{a, b})
		for i, x := range s.Float32s(a) {
			if x != float32(i%1000)*float32(ranks) {
				m.Errorf("rank %d: element %d of the sum is %v", m.rank, i, x)
				break
			}
		}
		if x := s.Float32s(b)[0]; x != float32(m.size) {
			m.Errorf("rank %d: the sum of ones is %v", m.rank, x)
		}
	})
	v := []float64{float64(m.rank), math.Ldexp(1, -50) + 1, 0}
	if m.rank == m.size-1 {
		v[2] = math.NaN()
	}
	if err := m.group.Sum(m.Context(), "figures", v); err != nil {
		m.Fatal(err)
	}
	if v[0] != ranks || v[1] != float64(m.size)*(math.Ldexp(1, -50)+1) || !math.IsNaN(v[2]) {
		m.Errorf("rank %d: sums are %v", m.rank, v)
	}
}

func gathers(m *member) {
	for _, scale := range []int{0, 1, 3000} {
		got, err := m.group.Gather(m.Context(), "rows", bytes.Repeat([]byte{byte(m.rank + 1)}, scale*(m.rank+1)%7000))
		if err != nil {
			m.Fatal(err)
		}
		for rank, b := range got {
			if want := bytes.Repeat([]byte{byte(rank + 1)}, scale*(rank+1)%7000); !bytes.Equal(b, want) {
				m.Errorf("rank %d: of rank %d came %d bytes, want %d", m.rank, rank, len(b), len(want))
			}
		}
	}
}

// Nobody leaves a barrier before the last has come.
func barrier(m *member) {
	if m.rank == m.size-1 {
		time.Sleep(200 * time.Millisecond)
		if err := m.store.Set("late", nil); err != nil {
			m.Fatal(err)
		}
	}
	if err := m.group.Barrier(m.Context(), "barrier"); err != nil {
		m.Fatal(err)
	}
	if yes, err := m.store.Has("late"); err != nil || !yes {
		m.Errorf("rank %d: left the barrier before the last came (%v)", m.rank, err)
	}
}

// A call that is called off ends at once, and with it the group.
func TestCancelCollective(t *testing.T) {
	processes(t, 2, 20*time.Second, func(m *member) {
		if m.rank == 1 { // lives, and does not come
			if _, err := m.store.Get(m.Context(), "over"); err != nil {
				m.Error(err)
			}
			return
		}
		defer m.store.Set("over", nil)
		ctx, cancel := context.WithTimeout(m.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		err := m.group.Barrier(ctx, "barrier")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
			m.Errorf("after %v: %v, want the context's error at once", time.Since(began), err)
		}
		var failure *torch.CollectiveError
		if err := m.group.Barrier(m.Context(), "second"); !errors.As(err, &failure) || failure.What != "second" {
			m.Errorf("after a call that was called off: %v, want a CollectiveError", err)
		}
	})
}

// A meeting that is called off while libtorch connects the ranks leaves nothing
// behind, and frees nothing twice, whenever that comes.
func TestCancelMeeting(t *testing.T) {
	processes(t, 2, time.Minute, func(m *member) {
		for i := range 200 {
			if err := m.group.Barrier(m.Context(), "begin together"); err != nil {
				m.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(m.Context(), time.Duration(5000+100*i)*time.Microsecond)
			g, err := torch.NewGroup(ctx, m.session, m.store, torch.GroupOptions{Rank: m.rank, Size: m.size, Prefix: fmt.Sprint("meeting ", i), Timeout: 5 * time.Second})
			if err == nil {
				g.Close()
			}
			var failure *torch.CollectiveError // the other rank may have left
			if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &failure) {
				m.Error(err)
			}
			cancel()
		}
	})
}

func TestGroupOptionsThatDoNotFit(t *testing.T) {
	carried(t, 2)
	s, store := session(t), serve(t)
	for _, o := range []torch.GroupOptions{
		{Rank: 2, Size: 2}, {Rank: -1, Size: 2}, {Size: 0}, {Size: 1, Backend: "mpi"}, {Size: 1, Backend: torch.NCCL}, {Size: 1, Interface: "none0"},
	} {
		o.Timeout = 5 * time.Second
		g, err := torch.NewGroup(t.Context(), s, store, o)
		if err == nil {
			g.Close()
			t.Errorf("%+v: no error", o)
		}
		t.Log(err)
	}
}

// Whoever does not come to the meeting is named.
func TestRankThatNeverComes(t *testing.T) {
	carried(t, 2)
	s, store := session(t), serve(t)
	_, err := torch.NewGroup(t.Context(), s, store, torch.GroupOptions{Rank: 1, Size: 3, Prefix: "alone", Timeout: 500 * time.Millisecond})
	var failure *torch.CollectiveError
	if !errors.As(err, &failure) || !slices.Equal(failure.Missing, []int{0, 2}) || failure.Rank != 1 {
		t.Errorf("error is %v, want one that names ranks 0 and 2", err)
	}
	t.Log(err)
}

// A rank that can only offer a loopback address says so at once, where the
// address of its host that others know is none of its own.
func TestStoreBehindForwardedPort(t *testing.T) {
	carried(t, 2)
	s, store := session(t), serve(t)
	if err := store.Set("forwarded/beat/1", []byte(`{"Host": "elsewhere", "Store": "192.0.2.1"}`)); err != nil { // of documentation: nobody's
		t.Fatal(err)
	}
	began := time.Now()
	_, err := torch.NewGroup(t.Context(), s, store, torch.GroupOptions{Rank: 0, Size: 2, Prefix: "forwarded", Timeout: time.Minute})
	if err == nil || time.Since(began) > 10*time.Second {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
	for _, want := range []string{"127.0.0.1", "192.0.2.1", "host elsewhere", "GLOO_SOCKET_IFNAME"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, lacks %q", err, want)
		}
	}
}
