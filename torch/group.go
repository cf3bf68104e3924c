package torch

// #include "call.h"
import "C"

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
	"unsafe"
)

// A Backend carries the collectives of a group.
type Backend string

// The backends of c10d that pptsn uses.
const (
	Gloo Backend = "gloo" // TCP, for the CPU
	NCCL Backend = "nccl" // for CUDA devices
)

// collectiveTime is GroupOptions.Timeout where none is given.
const collectiveTime = 10 * time.Minute

// Backends are those that the shim was built with. It loads libtorch.
func Backends() ([]Backend, error) {
	lib, err := load()
	if err != nil {
		return nil, err
	}
	return lib.backends(), nil
}

func (l *library) backends() (all []Backend) {
	have := C.pt_backends(l.table)
	for _, b := range []Backend{Gloo, NCCL} {
		if have&b.number() != 0 {
			all = append(all, b)
		}
	}
	return all
}

func (b Backend) number() C.int {
	if b == NCCL {
		return C.PT_NCCL
	}
	return C.PT_GLOO
}

// GroupOptions says which processes work together, and how.
type GroupOptions struct {
	Backend    Backend // "": NCCL for a CUDA device, Gloo for the CPU
	Rank, Size int
	Prefix     string // of the group's keys in the store: another one for each group
	// Interface is the network's, such as "eth0"; "" takes the one by which
	// the store's host is reached, and on that host the one by which others
	// reach it.
	Interface string
	Timeout   time.Duration // of each collective; 0 means 10 minutes
}

// A Group is this process as one of Size that compute together. Its
// collectives are joined by all ranks, in the same order, one at a time. After
// one that failed there are no more.
type Group struct {
	session *Session
	o       GroupOptions
	way     path // to the store
	group   C.pt_group
	heart   *heart

	mu     sync.Mutex
	failed *CollectiveError
	once   sync.Once
}

// NewGroup waits until all ranks are there and connects them. The caller
// closes the group before the session and the store.
func NewGroup(ctx context.Context, s *Session, store *Store, o GroupOptions) (*Group, error) {
	if o.Backend == "" {
		o.Backend = Gloo
		if s.device.CUDA {
			o.Backend = NCCL
		}
	}
	if o.Timeout <= 0 {
		o.Timeout = collectiveTime
	}
	if err := o.check(s); err != nil {
		return nil, err
	}
	way, err := store.path(ctx)
	if err != nil {
		return nil, err
	}
	g := &Group{session: s, o: o, way: way, heart: newHeart(store, o, way.store)}
	err = g.connect(ctx, store)
	if err == nil {
		err = s.Do(ctx, func(*Scope) error { s.group = g; return nil })
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (o GroupOptions) check(s *Session) error {
	switch {
	case o.Size < 1 || o.Rank < 0 || o.Rank >= o.Size:
		return fmt.Errorf("torch: rank %d of %d: ranks count from 0", o.Rank, o.Size)
	case o.Backend != Gloo && o.Backend != NCCL:
		return fmt.Errorf("torch: no backend %q: want %q or %q", o.Backend, Gloo, NCCL)
	case (o.Backend == NCCL) != s.device.CUDA:
		return fmt.Errorf("torch: backend %s is not for device %s", o.Backend, s.device)
	case !slices.Contains(s.lib.backends(), o.Backend):
		return fmt.Errorf("torch: %s was built without %s: `make torch` builds it anew, and needs %s", s.lib.file, o.Backend,
			map[Backend]string{Gloo: "Gloo's headers (Debian: libgloo-dev)", NCCL: "a libtorch with NCCL, and its header nccl.h"}[o.Backend])
	}
	return nil
}

// connect meets the other ranks and makes the process group.
func (g *Group) connect(ctx context.Context, store *Store) error {
	const what = "meeting of all ranks"
	meet, cancel := context.WithTimeout(ctx, g.o.Timeout)
	defer cancel()
	absent, err := g.heart.meet(meet)
	if err == nil {
		err = g.open(meet, store)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("torch: %s: %w", what, ctx.Err())
	}
	if err != nil {
		return &CollectiveError{Rank: g.o.Rank, Size: g.o.Size, What: what, Missing: absent, Err: clean(err)}
	}
	return nil
}

func (g *Group) open(ctx context.Context, store *Store) error {
	address, err := g.address(ctx)
	if err != nil {
		return err
	}
	conn, err := store.dial(ctx)
	if err != nil {
		return err
	}
	made := make(chan error, 1)
	var group C.pt_group
	go func() {
		defer store.drop(conn) // what the group needs of it, it keeps
		var err error
		group, err = g.make(conn, address.String())
		made <- err
	}()
	select {
	case err := <-made:
		g.group = group
		return err
	case <-ctx.Done():
		go func() { // g is closed before
			<-made
			g.drop(group)
		}()
		return ctx.Err()
	}
}

func (g *Group) make(conn C.pt_store, address string) (group C.pt_group, err error) {
	o := C.pt_group_options{
		rank: C.int(g.o.Rank), size: C.int(g.o.Size), backend: g.o.Backend.number(), index: C.int(g.session.device.Index),
		prefix: C.CString(g.o.Prefix + "/group"), _interface: C.CString(g.o.Interface), address: C.CString(address),
		timeout: C.int64_t(g.o.Timeout.Milliseconds()),
	}
	defer C.free(unsafe.Pointer(o.prefix))
	defer C.free(unsafe.Pointer(o._interface))
	defer C.free(unsafe.Pointer(o.address))
	err = takeError(C.pt_group_new(g.session.lib.table, conn, &o, &group))
	return group, err
}

// Rank is this process's number, from 0.
func (g *Group) Rank() int { return g.o.Rank }

// Size is the number of processes.
func (g *Group) Size() int { return g.o.Size }

// Backend is what carries the collectives.
func (g *Group) Backend() Backend { return g.o.Backend }

// Close leaves the group. It may be called twice, and does not wait for ranks
// that are gone.
func (g *Group) Close() error {
	g.once.Do(func() {
		if g.before("") == nil {
			g.give("leaving", ErrClosed)
		}
		g.session.Do(context.Background(), func(s *Scope) error {
			if g.session.group == g {
				g.session.group = nil
			}
			return nil
		})
		g.heart.end("has left")
		freed := make(chan struct{})
		go func() { g.drop(g.group); close(freed) }()
		select {
		case <-freed:
		case <-time.After(time.Second): // collectives under way end by their own timeout
		}
	})
	return nil
}

func (g *Group) drop(group C.pt_group) {
	if group != nil {
		C.pt_group_drop(g.session.lib.table, group)
	}
}
