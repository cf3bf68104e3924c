package torch

// #include "call.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
	"unsafe"
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

// answers is StoreOptions.Timeout where none is given.
const answers = 30 * time.Second

// Looks at a key that is waited for come less and less often.
const (
	firstLook = 2 * time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// A Store is c10d's TCPStore: keys and values that all processes of a run
// share. Many goroutines may use it.
type Store struct {
	lib    *library
	o      StoreOptions
	server C.pt_store // nil where another process keeps it

	turn   chan struct{} // held by whoever uses conn
	conn   C.pt_store    // nil after an error
	closed chan struct{}
	once   sync.Once
}

// OpenStore starts a store, or waits for another process to start it and
// connects. The caller closes it.
func OpenStore(ctx context.Context, o StoreOptions) (*Store, error) {
	lib, err := load()
	if err != nil {
		return nil, err
	}
	if o.Timeout <= 0 {
		o.Timeout = answers
	}
	if o.Host == "" {
		return nil, errors.New("torch: a store without a host")
	}
	s := &Store{lib: lib, o: o, turn: make(chan struct{}, 1), closed: make(chan struct{})}
	if o.Serve {
		if err := s.serve(); err != nil {
			return nil, s.wrap("start", err)
		}
	}
	if err = s.reached(ctx); err == nil {
		s.conn, err = s.dial(ctx)
	}
	if err != nil {
		s.Close()
		return nil, s.wrap("connect", err)
	}
	return s, nil
}

// serve starts the store. Go looks first whether the port is free: libtorch
// writes warnings of its own.
func (s *Store) serve() error {
	l, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(s.o.Port)))
	if err != nil {
		return err
	}
	s.o.Port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	s.server, err = s.open(1)
	return err
}

func (s *Store) open(serve C.int) (C.pt_store, error) {
	host := C.CString(s.o.Host)
	defer C.free(unsafe.Pointer(host))
	var out C.pt_store
	var port C.int
	err := takeError(C.pt_store_open(s.lib.table, host, C.int(s.o.Port), serve, C.int64_t(s.o.Timeout.Milliseconds()), &out, &port))
	return out, err
}

// reached waits until the store's port takes connections.
func (s *Store) reached(ctx context.Context) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	for {
		_, err := s.knock(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w after %v: %w", ctx.Err(), time.Since(began).Round(lastLook), err)
		case <-time.After(lastLook):
		}
	}
}

// knock connects and hangs up. libtorch would try again and again, with a
// warning each time.
func (s *Store) knock(ctx context.Context) (path, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", s.address())
	if err != nil {
		return path{}, err
	}
	defer c.Close()
	return path{ip(c.LocalAddr()), ip(c.RemoteAddr())}, nil
}

func (s *Store) address() string { return net.JoinHostPort(s.o.Host, strconv.Itoa(s.o.Port)) }

func (s *Store) wrap(what string, err error) error {
	return fmt.Errorf("torch: store at %s: %s: %w", s.address(), what, err)
}

// dial opens a connection.
func (s *Store) dial(ctx context.Context) (C.pt_store, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	if _, err := s.knock(ctx); err != nil {
		return nil, err
	}
	var conn C.pt_store
	err := s.bounded(ctx, func() (err error) { conn, err = s.open(0); return err }, func() { s.drop(conn) })
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (s *Store) drop(conn C.pt_store) {
	if conn != nil {
		C.pt_store_drop(s.lib.table, conn)
	}
}

// bounded runs f, which libtorch may not let end: a host that was cut off does
// not hang up. After an error clean runs, once f has ended.
func (s *Store) bounded(ctx context.Context, f func() error, clean func()) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	var err error
	select {
	case err := <-done:
		if err != nil {
			clean()
		}
		return err
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.closed:
		err = ErrClosed
	}
	go func() { <-done; clean() }()
	return err
}

// do uses the connection, which is made anew after an error.
func (s *Store) do(ctx context.Context, what string, f func(C.pt_store) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	if err := s.take(ctx); err != nil {
		return s.wrap(what, err)
	}
	defer func() { <-s.turn }()
	conn := s.conn
	s.conn = nil
	if conn == nil {
		var err error
		if conn, err = s.dial(ctx); err != nil {
			return s.wrap(what, err)
		}
	}
	if err := s.bounded(ctx, func() error { return f(conn) }, func() { s.drop(conn) }); err != nil {
		return s.wrap(what, err)
	}
	s.conn = conn
	return nil
}

// take waits for the turn.
func (s *Store) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return ErrClosed
	}
	select {
	case <-s.closed:
		<-s.turn
		return ErrClosed
	default:
		return nil
	}
}

// Set gives a key a value.
func (s *Store) Set(key string, value []byte) error { return s.set(context.Background(), key, value) }

func (s *Store) set(ctx context.Context, key string, value []byte) error {
	return s.do(ctx, fmt.Sprintf("set %q", key), func(conn C.pt_store) error {
		k := C.CString(key)
		defer C.free(unsafe.Pointer(k))
		return takeError(C.pt_store_set(s.lib.table, conn, k, unsafe.Pointer(unsafe.SliceData(value)), C.size_t(len(value))))
	})
}

// Get waits until a key has a value, and returns it.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	if err := s.await(ctx, key); err != nil {
		return nil, err
	}
	return s.get(ctx, key)
}

// await waits until all keys have values. Others use the connection meanwhile.
func (s *Store) await(ctx context.Context, keys ...string) error {
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		yes, err := s.has(ctx, keys)
		if yes || err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return s.wrap(fmt.Sprintf("wait for %q", keys), ctx.Err())
		}
	}
}

func (s *Store) get(ctx context.Context, key string) ([]byte, error) {
	var value []byte // no result: the call may end after get, if ctx does, and still write it
	err := s.do(ctx, fmt.Sprintf("get %q", key), func(conn C.pt_store) error {
		k := C.CString(key)
		defer C.free(unsafe.Pointer(k))
		var data unsafe.Pointer
		var size C.size_t
		if err := takeError(C.pt_store_get(s.lib.table, conn, k, &data, &size)); err != nil {
			return err
		}
		defer C.free(data)
		value = C.GoBytes(data, C.int(size))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

// Add adds to the number that a key holds, 0 at first, and returns the sum.
func (s *Store) Add(key string, n int64) (int64, error) {
	var sum C.int64_t
	err := s.do(context.Background(), fmt.Sprintf("add to %q", key), func(conn C.pt_store) error {
		k := C.CString(key)
		defer C.free(unsafe.Pointer(k))
		return takeError(C.pt_store_add(s.lib.table, conn, k, C.int64_t(n), &sum))
	})
	if err != nil {
		return 0, err
	}
	return int64(sum), nil
}

// Has says whether all of these keys have a value.
func (s *Store) Has(keys ...string) (bool, error) { return s.has(context.Background(), keys) }

func (s *Store) has(ctx context.Context, keys []string) (bool, error) {
	if len(keys) == 0 {
		return true, nil
	}
	var yes C.int
	err := s.do(ctx, fmt.Sprintf("look for %q", keys), func(conn C.pt_store) error {
		list := (*[1 << 20]*C.char)(C.malloc(C.size_t(len(keys)) * C.size_t(unsafe.Sizeof((*C.char)(nil)))))[:len(keys):len(keys)]
		defer C.free(unsafe.Pointer(&list[0]))
		for i, k := range keys {
			list[i] = C.CString(k)
			defer C.free(unsafe.Pointer(list[i]))
		}
		return takeError(C.pt_store_has(s.lib.table, conn, &list[0], C.size_t(len(keys)), &yes))
	})
	return err == nil && yes != 0, err
}

// Close ends the connection and, where it was started, the store. It may be
// called twice.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.turn <- struct{}{} // whoever had it gives up
		s.drop(s.conn)
		s.drop(s.server)
		s.conn, s.server = nil, nil
		<-s.turn
	})
	return nil
}

// Port is where the store listens.
func (s *Store) Port() int { return s.o.Port }
