package torch

// #include "call.h"
import "C"

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pptsn/pptsn/tensor"
)

// Broadcast gives the tensors rank 0's elements. Here and below, what says in
// errors what the collective is for, such as "the weights".
func (g *Group) Broadcast(s *Scope, what string, tensors []Tensor) {
	if len(tensors) > 0 {
		in := pointers(tensors)
		g.now(s, what, func(w *C.pt_work) *C.char {
			return C.pt_broadcast(g.session.lib.table, g.group, &in[0], C.size_t(len(in)), w)
		})
	}
}

// AllReduce makes each tensor the sum over all ranks.
func (g *Group) AllReduce(s *Scope, what string, tensors []Tensor) {
	if len(tensors) > 0 {
		g.now(s, what, g.allReduce(tensors))
	}
}

func (g *Group) allReduce(tensors []Tensor) func(*C.pt_work) *C.char {
	in := pointers(tensors)
	return func(w *C.pt_work) *C.char {
		return C.pt_all_reduce(g.session.lib.table, g.group, &in[0], C.size_t(len(in)), w)
	}
}

// now runs a collective and waits for it on the session's thread.
func (g *Group) now(s *Scope, what string, begin func(*C.pt_work) *C.char) {
	if s.err != nil {
		return
	}
	if s.Fail(g.come(what)); s.err != nil {
		return
	}
	var w C.pt_work
	err := takeError(begin(&w))
	if err == nil {
		err = g.await(w)
	}
	s.Fail(g.fail(what, err))
}

// later runs a collective and waits for it elsewhere, so that ctx can end that.
func (g *Group) later(ctx context.Context, what string, begin func(*Scope) func(*C.pt_work) *C.char) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("torch: %s: %w", what, err)
	}
	if err := g.come(what); err != nil {
		return err
	}
	var w C.pt_work
	err := g.session.Do(ctx, func(s *Scope) error {
		if f := begin(s); s.err == nil {
			s.Fail(takeError(f(&w)))
		}
		return nil
	})
	if err == nil {
		done := make(chan error, 1)
		go func() { done <- g.await(w) }()
		select {
		case err = <-done:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		g.give(what, err) // the others wait for what this rank left
		return fmt.Errorf("torch: %s: %w", what, err)
	}
	return g.fail(what, err)
}

// await waits for collectives, a little longer than they wait themselves.
func (g *Group) await(w C.pt_work) error {
	defer C.pt_work_drop(g.session.lib.table, w)
	limit := g.o.Timeout + g.o.Timeout/10 + time.Second
	var state C.int
	if err := takeError(C.pt_work_wait(g.session.lib.table, w, C.int64_t(limit.Milliseconds()), &state)); err != nil {
		return err
	}
	if state != C.PT_DONE {
		return fmt.Errorf("no end after %v", limit)
	}
	return nil
}

// Sum makes v the sum over all ranks.
func (g *Group) Sum(ctx context.Context, what string, v []float64) error {
	d := tensor.New(tensor.Float64, len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint64(d.Data[8*i:], math.Float64bits(x))
	}
	var t Tensor
	defer func() { g.session.Free(t) }()
	err := g.later(ctx, what, func(s *Scope) func(*C.pt_work) *C.char {
		t = s.From(d)
		s.Keep(t)
		return g.allReduce([]Tensor{t})
	})
	if err != nil {
		return err
	}
	return g.session.Do(ctx, func(s *Scope) error {
		if d := s.Dense(t, tensor.Float64); d != nil {
			for i := range v {
				v[i] = math.Float64frombits(binary.LittleEndian.Uint64(d.Data[8*i:]))
			}
		}
		return nil
	})
}

// Gather returns the bytes of each rank, of any lengths, on all ranks.
func (g *Group) Gather(ctx context.Context, what string, b []byte) ([][]byte, error) {
	lengths := make([]float64, g.o.Size)
	lengths[g.o.Rank] = float64(len(b))
	if err := g.Sum(ctx, what, lengths); err != nil {
		return nil, err
	}
	mine := tensor.New(tensor.Uint8, int(slices.Max(lengths)))
	copy(mine.Data, b)
	if len(mine.Data) == 0 {
		return make([][]byte, g.o.Size), nil
	}
	all := make([]Tensor, g.o.Size+1) // of the ranks, and this one's to send
	defer func() { g.session.Free(all...) }()
	err := g.later(ctx, what, func(s *Scope) func(*C.pt_work) *C.char {
		for i := range all {
			all[i] = s.From(mine)
		}
		s.Keep(all...)
		in := pointers(all)
		return func(w *C.pt_work) *C.char {
			return C.pt_gather(g.session.lib.table, g.group, in[g.o.Size], &in[0], C.size_t(g.o.Size), w)
		}
	})
	if err != nil {
		return nil, err
	}
	out := make([][]byte, g.o.Size)
	return out, g.session.Do(ctx, func(s *Scope) error {
		for i := range out {
			if d := s.Dense(all[i], tensor.Uint8); d != nil {
				out[i] = d.Data[:int(lengths[i])]
			}
		}
		return nil
	})
}

// Barrier waits until all ranks have come to it.
func (g *Group) Barrier(ctx context.Context, what string) error {
	return g.Sum(ctx, what, make([]float64, 1))
}

// syncNorm is batch norm in training over all ranks: the result, the mean and
// 1/deviation. What does not count is a stand-in for a batch without clips.
func (g *Group) syncNorm(s *Scope, name string, x, scale, offset Tensor, epsilon float64, counts bool) (out [3]Tensor) {
	what := "batch norm " + name
	if s.err != nil {
		return out
	}
	if s.Fail(g.come(what)); s.err != nil {
		return out
	}
	var share C.int
	if counts {
		share = 1
	}
	var made [3]C.pt_tensor
	err := takeError(C.pt_sync_norm(g.session.lib.table, g.group, C.pt_tensor(x.h), C.pt_tensor(scale.h), C.pt_tensor(offset.h), C.double(epsilon), share, &made[0]))
	s.Fail(g.blame(what, err))
	for i, h := range made {
		out[i] = s.own(handle(h))
	}
	return out
}
