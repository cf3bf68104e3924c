package torch

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// heartbeat is how often a rank says that it lives; more often where
// collectives may last but a short time.
const heartbeat = time.Second

// A beat is what a rank says of itself in the store.
type beat struct {
	Count int    // of beats; it lives as long as this grows
	Done  int    // collectives it has come to
	What  string // the last of them
	End   string // why there will be no more: it failed, or left
	Host  string
	PID   int
	Store string // the address by which it reaches the store's host
}

// A heart keeps a rank's beat in the store, on a goroutine of its own.
type heart struct {
	store      *Store
	prefix     string
	rank, size int
	every      time.Duration
	stop       chan struct{}
	stopped    chan struct{}

	mu  sync.Mutex
	now beat
}

func newHeart(store *Store, o GroupOptions, address netip.Addr) *heart {
	host, _ := os.Hostname()
	h := &heart{store: store, prefix: o.Prefix, rank: o.Rank, size: o.Size, every: min(heartbeat, o.Timeout/4),
		stop: make(chan struct{}), stopped: make(chan struct{}), now: beat{Host: host, PID: os.Getpid(), Store: address.String(), What: "start"}}
	go h.run()
	return h
}

func (h *heart) key(rank int) string { return fmt.Sprintf("%s/beat/%d", h.prefix, rank) }

func (h *heart) run() {
	defer close(h.stopped)
	for {
		h.say(func(*beat) {}) // whoever looks for beats sees a store that is out of reach himself
		select {
		case <-h.stop:
			return
		case <-time.After(h.every):
		}
	}
}

// say changes the beat and writes it down.
func (h *heart) say(change func(*beat)) error {
	h.mu.Lock()
	change(&h.now)
	h.now.Count++
	b, err := json.Marshal(h.now)
	h.mu.Unlock()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*h.every)
	defer cancel()
	return h.store.set(ctx, h.key(h.rank), b)
}

// come notes that the rank comes to a collective. The next beat tells.
func (h *heart) come(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now.Done++
	h.now.What = what
}

func (h *heart) did() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now.Done
}

// end writes a last word and stops.
func (h *heart) end(why string) {
	close(h.stop)
	<-h.stopped
	h.say(func(b *beat) {
		if b.End == "" {
			b.End = why
		}
	})
}

// A witness is what beats say of ranks.
type witness struct {
	missing []int
	reasons []string
}

// missing watches the others' beats for a while and finds who keeps this rank
// from going on: those that have gone silent or left, else those that have not
// come as far as it.
func (h *heart) missing() (witness, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 6*h.every)
	defer cancel()
	first, err := h.read(ctx)
	last := first
	for until := time.Now().Add(3 * h.every); err == nil && time.Now().Before(until) && len(h.silent(first, last).missing) > 0; {
		time.Sleep(h.every / 4)
		last, err = h.read(ctx)
	}
	if err != nil {
		return witness{}, err
	}
	if w := h.silent(first, last); len(w.missing) > 0 {
		return w, nil
	}
	return h.behind(last), nil
}

// read is all ranks' beats.
func (h *heart) read(ctx context.Context) ([]beat, error) {
	beats := make([]beat, h.size)
	for rank := range beats {
		b, err := h.store.get(ctx, h.key(rank))
		if err == nil {
			err = json.Unmarshal(b, &beats[rank])
		}
		if err != nil {
			return nil, err
		}
	}
	return beats, nil
}

// silent are the ranks that did not beat between two looks, or have left. One
// that failed waits for others, as this one does.
func (h *heart) silent(first, last []beat) (w witness) {
	for rank, b := range last {
		switch {
		case rank == h.rank || b.End == failed:
		case b.End != "":
			w.add(rank, b, b.End)
		case b.Count == first[rank].Count:
			w.add(rank, b, fmt.Sprintf("no sign of life for %v, last known at %q", 3*h.every, b.What))
		}
	}
	return w
}

// behind are the ranks that live and have not come to this rank's collective.
func (h *heart) behind(last []beat) (w witness) {
	mine := h.did()
	for rank, b := range last {
		if rank != h.rank && b.Done < mine {
			w.add(rank, b, fmt.Sprintf("alive, but has only come to %q", b.What))
		}
	}
	return w
}

func (w *witness) add(rank int, b beat, why string) {
	w.missing = append(w.missing, rank)
	w.reasons = append(w.reasons, fmt.Sprintf("rank %d (host %s, process %d): %s", rank, b.Host, b.PID, why))
}

func (w witness) String() string { return strings.Join(w.reasons, "; ") }

// meet waits until all ranks have said that they live; else it says who has not.
func (h *heart) meet(ctx context.Context) (absent []int, err error) {
	for rank := range h.size {
		if err = h.store.await(ctx, h.key(rank)); err != nil {
			break
		}
	}
	if err == nil {
		return nil, nil
	}
	look, cancel := context.WithTimeout(context.Background(), 4*h.every)
	defer cancel()
	for rank := range h.size {
		if yes, err := h.store.has(look, []string{h.key(rank)}); err == nil && !yes {
			absent = append(absent, rank)
		}
	}
	return slices.Clip(absent), err
}
