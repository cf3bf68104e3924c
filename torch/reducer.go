package torch

// #include "call.h"
import "C"

import (
	"fmt"
	"time"
)

// ReducerOptions says how gradients are packed. The zero value is what suits
// most networks.
type ReducerOptions struct {
	BucketBytes int // of gradients that are sent as one; 0: 25 MiB
	FirstBytes  int // of the first bucket, so that sending begins early; 0: 1 MiB
}

// Sizes of buckets where none are given: those of PyTorch.
const (
	bucketBytes = 25 << 20
	firstBytes  = 1 << 20
)

// A Reducer sums the gradients of leaves over the ranks of a group, while the
// backward pass that makes them still runs. Sums are in float32, of
// bfloat16 and float16 too, and in float64 if a leaf is.
type Reducer struct {
	group   *Group
	reducer C.pt_reducer
	what    string
	begun   bool
}

// NewReducer readies the leaves' gradients. All ranks give leaves of the same
// shapes in the same order. The caller closes the reducer before its group.
func NewReducer(s *Scope, g *Group, leaves []Tensor, o ReducerOptions) *Reducer {
	r := &Reducer{group: g}
	if len(leaves) == 0 {
		s.Fail(fmt.Errorf("torch: a reducer without leaves"))
	}
	if s.err != nil {
		return r
	}
	if o.BucketBytes <= 0 {
		o.BucketBytes = bucketBytes
	}
	if o.FirstBytes <= 0 {
		o.FirstBytes = min(firstBytes, o.BucketBytes)
	}
	in := pointers(leaves)
	s.Fail(takeErrorAs("reducer", C.pt_reducer_new(g.session.lib.table, g.group, &in[0], C.size_t(len(in)), C.int64_t(o.FirstBytes), C.int64_t(o.BucketBytes), &r.reducer)))
	return r
}

// Begin says that the backward pass to come is the last one before Finish:
// gradients are summed over ranks as they come. A rank that runs no such pass
// need not call it.
func (r *Reducer) Begin(s *Scope, what string) {
	if s.err != nil {
		return
	}
	if s.Fail(r.usable()); s.err != nil {
		return
	}
	if s.Fail(r.group.come(what)); s.err != nil {
		return
	}
	r.what, r.begun = what, true
	C.pt_reducer_begin(r.group.session.lib.table, r.reducer)
}

func (r *Reducer) usable() error {
	if r.reducer == nil {
		return fmt.Errorf("torch: reducer: %w", ErrClosed)
	}
	return nil
}

// Finish waits until the gradients are sums over the ranks, divided by the sum
// of clips over the ranks, which it returns. A rank that ran no backward pass
// joins with zeros. Where no rank has a gradient for a leaf, it has none.
func (r *Reducer) Finish(s *Scope, clips float64) float64 {
	if !r.begun {
		r.Begin(s, "gradients")
	}
	if s.err != nil {
		return 0
	}
	r.begun = false
	// Counted once more: ranks that are still within their backward pass are behind.
	if s.Fail(r.group.come(r.what)); s.err != nil {
		return 0
	}
	var total C.double
	err := takeError(C.pt_reducer_finish(r.group.session.lib.table, r.reducer, C.double(clips), &total))
	s.Fail(r.group.fail(r.what, err))
	return float64(total)
}

// ReduceTimes are the cost of reducing gradients.
type ReduceTimes struct {
	Busy    time.Duration // while at least one bucket was under way
	Waited  time.Duration // in Finish: what computing did not hide
	Bytes   int64
	Buckets int
}

// Times is what was spent since the last call.
func (r *Reducer) Times() ReduceTimes {
	if r.reducer == nil {
		return ReduceTimes{}
	}
	var t C.pt_reduce_times
	C.pt_reducer_times(r.group.session.lib.table, r.reducer, &t)
	return ReduceTimes{Busy: time.Duration(t.busy), Waited: time.Duration(t.waited), Bytes: int64(t.bytes), Buckets: int(t.buckets)}
}

// Close takes the hooks off the leaves. It may be called twice, but not while
// the session works.
func (r *Reducer) Close() {
	if r.reducer != nil {
		C.pt_reducer_drop(r.group.session.lib.table, r.reducer)
		r.reducer = nil
	}
}
