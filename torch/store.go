package torch

import (
	"context"
	"errors"
	"time"
)

// StoreOptions says where a store is.
type StoreOptions struct {
	Host  string // name or address of the host that keeps it
	Port  int
	Serve bool // this process keeps it; Port 0 then takes a free one
	// Timeout is how long to wait for the store to be there, and for each of
	// its answers. 0 means 30 s.
	Timeout time.Duration
}

// A Store is c10d's TCPStore: keys and values that all processes of a run
// share. Many goroutines may use it.
type Store struct{}

var errSoon = errors.New("torch: not yet")

// OpenStore starts a store, or waits for another process to start it and
// connects. The caller closes it.
func OpenStore(ctx context.Context, o StoreOptions) (*Store, error) { return nil, errSoon }

// Port is where the store listens.
func (s *Store) Port() int { return 0 }

// Set gives a key a value.
func (s *Store) Set(key string, value []byte) error { return errSoon }

// Get waits until a key has a value, and returns it.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) { return nil, errSoon }

// Add adds to the number that a key holds, 0 at first, and returns the sum.
func (s *Store) Add(key string, n int64) (int64, error) { return 0, errSoon }

// Has says whether all of these keys have a value.
func (s *Store) Has(keys ...string) (bool, error) { return false, errSoon }

// Close ends the connection and, where it was started, the store. It may be
// called twice.
func (s *Store) Close() error { return nil }
