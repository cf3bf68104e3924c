package torch

import (
	"context"
	"fmt"
	"time"
)

// A Backend carries the collectives of a group.
type Backend string

// The backends of c10d that pptsn uses.
const (
	Gloo Backend = "gloo" // TCP, for the CPU
	NCCL Backend = "nccl" // for CUDA devices
)

// Backends are those that the shim was built with. It loads libtorch.
func Backends() ([]Backend, error) { return nil, errSoon }

// GroupOptions says which processes work together, and how.
type GroupOptions struct {
	Backend    Backend // "": NCCL for a CUDA device, Gloo for the CPU
	Rank, Size int
	Prefix     string // of the group's keys in the store: another one for each group
	// Interface is the network's, such as "eth0"; "" takes the one by which
	// the store's host is reached.
	Interface string
	Timeout   time.Duration // of each collective; 0 means 10 minutes
}

// A Group is this process as one of Size that compute together. Its
// collectives are joined by all ranks, in the same order.
type Group struct{}

// NewGroup waits until all ranks are there and connects them. The caller
// closes the group before the session and the store.
func NewGroup(ctx context.Context, s *Session, store *Store, o GroupOptions) (*Group, error) {
	return nil, errSoon
}

// Rank is this process's number, from 0.
func (g *Group) Rank() int { return 0 }

// Size is the number of processes.
func (g *Group) Size() int { return 1 }

// Backend is what carries the collectives.
func (g *Group) Backend() Backend { return Gloo }

// Broadcast gives the tensors rank 0's elements. Here and below, what says in
// errors what the collective is for, such as "the weights".
func (g *Group) Broadcast(s *Scope, what string, tensors []Tensor) { s.Fail(errSoon) }

// AllReduce makes each tensor the sum over all ranks.
func (g *Group) AllReduce(s *Scope, what string, tensors []Tensor) { s.Fail(errSoon) }

// Sum makes v the sum over all ranks.
func (g *Group) Sum(ctx context.Context, what string, v []float64) error { return errSoon }

// Gather returns the bytes of each rank, of any lengths, on all ranks.
func (g *Group) Gather(ctx context.Context, what string, b []byte) ([][]byte, error) {
	return nil, errSoon
}

// Barrier waits until all ranks have come to it.
func (g *Group) Barrier(ctx context.Context, what string) error { return errSoon }

// Close leaves the group. It may be called twice, and does not wait for ranks
// that are gone.
func (g *Group) Close() error { return nil }

// A CollectiveError is a collective that did not come about.
type CollectiveError struct {
	Rank, Size int    // of this process
	What       string // it was for
	Missing    []int  // ranks that did not take part, as far as is known
	Err        error
}

// Error names the rank, what the collective was for, and who is missing.
func (e *CollectiveError) Error() string {
	return fmt.Sprintf("torch: rank %d of %d: %s: no answer from %v: %v", e.Rank, e.Size, e.What, e.Missing, e.Err)
}

// Unwrap is the cause.
func (e *CollectiveError) Unwrap() error { return e.Err }
