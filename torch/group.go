package torch

// #include "call.h"
import "C"

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/pptsn/pptsn/tensor"
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
	// the store's host is reached.
	Interface string
	Timeout   time.Duration // of each collective; 0 means 10 minutes
}

// A Group is this process as one of Size that compute together. Its
// collectives are joined by all ranks, in the same order, one at a time. After
// one that failed there are no more.
type Group struct {
	session *Session
	o       GroupOptions
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
	g := &Group{session: s, o: o, heart: newHeart(store, o)}
	err := g.connect(ctx, store)
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
	address, err := localAddress(store.address())
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
		group, err = g.make(conn, address)
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

// localAddress is this host's in the network by which another is reached. No
// packet is sent.
func localAddress(to string) (string, error) {
	c, err := net.Dial("udp", to)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).IP.String(), nil
}

// Rank is this process's number, from 0.
func (g *Group) Rank() int { return g.o.Rank }

// Size is the number of processes.
func (g *Group) Size() int { return g.o.Size }

// Backend is what carries the collectives.
func (g *Group) Backend() Backend { return g.o.Backend }

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

// A CollectiveError is a collective that did not come about.
type CollectiveError struct {
	Rank, Size int    // of this process
	What       string // it was for
	Missing    []int  // ranks that did not take part, as far as is known
	Err        error
}

// Error names the rank, what the collective was for, and who is missing.
func (e *CollectiveError) Error() string {
	text := fmt.Sprintf("torch: rank %d of %d: %s: ", e.Rank, e.Size, e.What)
	if len(e.Missing) > 0 {
		text += fmt.Sprintf("no answer from %s: ", ranks(e.Missing))
	}
	return text + e.Err.Error()
}

// ranks is "rank 3" or "ranks 1, 3".
func ranks(n []int) string {
	text := strings.ReplaceAll(strings.Trim(fmt.Sprint(n), "[]"), " ", ", ")
	if len(n) == 1 {
		return "rank " + text
	}
	return "ranks " + text
}

// Unwrap is the cause.
func (e *CollectiveError) Unwrap() error { return e.Err }

// failed is the last word of a rank whose collective failed.
const failed = "a collective of its own failed"

// come notes that the rank comes to a collective.
func (g *Group) come(what string) error {
	if err := g.before(what); err != nil {
		return err
	}
	g.heart.come(what)
	return nil
}

// before is why there is no collective any more; nil if there is.
func (g *Group) before(what string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed == nil {
		return nil
	}
	return &CollectiveError{Rank: g.o.Rank, Size: g.o.Size, What: what, Missing: g.failed.Missing, Err: fmt.Errorf("the group has failed before: %w", g.failed.Err)}
}

// fail finds out who is missing when a collective ended with an error; nil for nil.
func (g *Group) fail(what string, err error) error {
	if err == nil {
		return nil
	}
	if err := g.before(what); err != nil {
		return err
	}
	e := g.give(what, clean(err))
	told := g.heart.say(func(b *beat) { b.End = failed })
	w, unread := g.heart.missing()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch e.Missing = w.missing; {
	case told != nil || unread != nil:
		e.Err = fmt.Errorf("%w (and who is missing cannot be told: %w: is rank 0's host there, and the network?)", e.Err, errors.Join(told, unread))
	case len(w.missing) > 0:
		e.Err = fmt.Errorf("%s: %w", w, e.Err)
	}
	return e
}

// give makes err the group's failure.
func (g *Group) give(what string, err error) *CollectiveError {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failed = &CollectiveError{Rank: g.o.Rank, Size: g.o.Size, What: what, Err: err}
	return g.failed
}

// place is where in Gloo's source an error arose.
var place = regexp.MustCompile(`^\[[^\]]*\.cc:\d+\] `)

// clean takes out what says nothing to a user.
func clean(err error) error {
	if text := place.ReplaceAllString(err.Error(), ""); text != err.Error() {
		return errors.New(text)
	}
	return err
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

// blame is fail for an operator within which a collective may have failed.
func (g *Group) blame(what string, err error) error {
	if err != nil && C.pt_group_broken(g.session.lib.table, g.group) != 0 {
		return g.fail(what, err)
	}
	return err
}
