package launch

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// A Store is keys and values that all launchers and workers share: c10d's
// TCPStore, as package torch opens it. Many goroutines use one.
type Store interface {
	Set(key string, value []byte) error
	Get(ctx context.Context, key string) ([]byte, error) // waits until the key has a value
	Add(key string, n int64) (int64, error)
	Has(keys ...string) (bool, error)
	Port() int
	Close() error
}

// StoreAddress says where a store is, and how long to wait for it.
type StoreAddress struct {
	Host    string
	Port    int           // 0 with Serve: a free one
	Serve   bool          // this process keeps it
	Timeout time.Duration // for it to be there, and for each of its answers
}

// A status is what a launcher says of itself, all that others know of it.
type status struct {
	Beat     int    // grows every second
	Nodes    string // as in --nnodes
	Node     int
	Host     string
	Pid      int
	Procs    int
	Round    int // the last that it took part in, -1: none
	Restarts int // used up until then
	crewState
	Waits bool // has no workers and waits for a round
	Left  bool // will not be heard of any more
}

// An order is what all launchers do next.
type order struct {
	Kind     string // start, stop, finish or refuse
	Why      string // a line for the user
	Round    int
	Restarts int
	Places   []place // start: who takes part
	Save     bool    // stop: workers can still save

	Failure     *Failure // finish: the run has failed
	Interrupted bool     // finish: before its end
	Error       string   // finish: there was no run; refuse: why

	Member int // refuse: who must leave
}

// The kinds of orders.
const (
	startRound = "start"
	stopRound  = "stop"
	finish     = "finish"
	refuse     = "refuse"
)

// A place is a launcher's in a round. Its workers have the ranks from First.
type place struct {
	Member, Node int
	Host         string
	First, Procs int
}

// size is the number of workers of a round.
func (o *order) size() int {
	n := 0
	for _, p := range o.Places {
		n += p.Procs
	}
	return n
}

// A board is the launchers' part of a store.
type board struct {
	store Store
	id    string // of the store
}

func (b board) key(parts ...string) string {
	k := "launch/" + b.id
	for _, p := range parts {
		k += "/" + p
	}
	return k
}

func (b board) member(m int) string { return b.key("member", strconv.Itoa(m)) }
func (b board) order(k int) string  { return b.key("order", strconv.Itoa(k)) }

// found begins a board in a store that was just started.
func found(s Store, id string) (board, error) {
	b := board{s, id}
	if _, err := s.Add(b.key("members"), 0); err != nil {
		return board{}, err
	}
	return b, s.Set("launch", []byte(id))
}

// findBoard waits for the board of a store.
func findBoard(ctx context.Context, s Store) (board, error) {
	id, err := s.Get(ctx, "launch")
	return board{s, string(id)}, err
}

// there says whether the store is still the one of this board.
func (b board) there() error {
	ok, err := b.store.Has(b.key("members"))
	if err == nil && !ok {
		err = fmt.Errorf("the launcher of node 0 was started anew")
	}
	return err
}

// join takes a number.
func (b board) join() (int, error) {
	m, err := b.store.Add(b.key("members"), 1)
	return int(m), err
}

func (b board) members() (int, error) {
	m, err := b.store.Add(b.key("members"), 0)
	return int(m), err
}

func (b board) write(key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.store.Set(key, data)
}

// read looks for a key; ok is false where it has no value yet.
func (b board) read(ctx context.Context, key string, v any) (ok bool, err error) {
	if ok, err = b.store.Has(key); !ok || err != nil {
		return false, err
	}
	data, err := b.store.Get(ctx, key)
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("launch: %s in the store: %w", key, err)
	}
	return true, nil
}
