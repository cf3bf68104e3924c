package torch

import "time"

// ReducerOptions says how gradients are packed. The zero value is what suits
// most networks.
type ReducerOptions struct {
	BucketBytes int // of gradients that are sent as one; 0: 25 MiB
	FirstBytes  int // of the first bucket, so that sending begins early; 0: 1 MiB
}

// A Reducer sums the gradients of leaves over the ranks of a group, while the
// backward pass that makes them still runs.
type Reducer struct{}

// NewReducer readies the leaves' gradients. All ranks give leaves of the same
// shapes in the same order. The caller closes the reducer before its group.
func NewReducer(s *Scope, g *Group, leaves []Tensor, o ReducerOptions) *Reducer {
	s.Fail(errSoon)
	return &Reducer{}
}

// Begin says that the backward pass to come is the last one before Finish:
// gradients are summed over ranks as they come.
func (r *Reducer) Begin(s *Scope, what string) { s.Fail(errSoon) }

// Finish waits until the gradients are sums over the ranks, divided by the sum
// of clips over the ranks, which it returns. A rank that ran no backward pass
// joins with zeros. Where no rank has a gradient for a leaf, it has none.
func (r *Reducer) Finish(s *Scope, clips float64) float64 { s.Fail(errSoon); return 0 }

// ReduceTimes are the cost of reducing gradients.
type ReduceTimes struct {
	Busy    time.Duration // while at least one bucket was under way
	Waited  time.Duration // of that, in Finish: what computing did not hide
	Bytes   int64
	Buckets int
}

// Times is what was spent since the last call.
func (r *Reducer) Times() ReduceTimes { return ReduceTimes{} }

// Close takes the hooks off the leaves. It may be called twice.
func (r *Reducer) Close() {}
