package launch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/pptsn/pptsn/launch"
)

// A request to the tests' own store, which stands for c10d's.
type request struct {
	Do    string // set, get, add, has
	Keys  []string
	Value []byte
	N     int64
}

type answer struct {
	Value []byte
	N     int64
	OK    bool
}

// A server keeps keys and values.
type server struct {
	listener net.Listener
	mu       sync.Mutex
	values   map[string][]byte
	conns    []net.Conn
}

func serveStore(port int) (*server, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	s := &server{listener: l, values: map[string][]byte{}}
	go s.accept()
	return s, nil
}

func (s *server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		go s.converse(c)
	}
}

func (s *server) converse(c net.Conn) {
	defer c.Close()
	in, out := json.NewDecoder(c), json.NewEncoder(c)
	for {
		var r request
		if in.Decode(&r) != nil || out.Encode(s.answer(r)) != nil {
			return
		}
	}
}

func (s *server) answer(r request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := answer{OK: true}
	switch r.Do {
	case "set":
		s.values[r.Keys[0]] = r.Value
	case "get":
		a.Value, a.OK = s.values[r.Keys[0]]
	case "add":
		n, _ := strconv.ParseInt(string(s.values[r.Keys[0]]), 10, 64)
		a.N = n + r.N
		s.values[r.Keys[0]] = strconv.AppendInt(nil, a.N, 10)
	case "has":
		for _, k := range r.Keys {
			_, ok := s.values[k]
			a.OK = a.OK && ok
		}
	}
	return a
}

func (s *server) close() {
	s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
}

// A client of a server, and the server itself on node 0.
type client struct {
	server  *server
	address string
	timeout time.Duration
	mu      sync.Mutex
	conn    net.Conn
}

// openStore is Job.Open of the tests.
func openStore(_ context.Context, a launch.StoreAddress) (launch.Store, error) {
	c := &client{timeout: a.Timeout}
	if a.Serve {
		s, err := serveStore(a.Port)
		if err != nil {
			return nil, err
		}
		c.server = s
		a.Port = s.listener.Addr().(*net.TCPAddr).Port
	}
	c.address = net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
	conn, err := net.DialTimeout("tcp", c.address, a.Timeout)
	if err != nil {
		return nil, err
	}
	c.conn = conn
	return c, nil
}

func (c *client) do(r request) (answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil { // as torch's store, which connects again after an error
		conn, err := net.DialTimeout("tcp", c.address, c.timeout)
		if err != nil {
			return answer{}, err
		}
		c.conn = conn
	}
	c.conn.SetDeadline(time.Now().Add(c.timeout))
	var a answer
	err := json.NewEncoder(c.conn).Encode(r)
	if err == nil {
		err = json.NewDecoder(c.conn).Decode(&a)
	}
	if err != nil {
		c.conn.Close()
		c.conn = nil
		return answer{}, fmt.Errorf("%s %q: %w", r.Do, r.Keys, err)
	}
	return a, nil
}

func (c *client) Set(key string, value []byte) error {
	_, err := c.do(request{Do: "set", Keys: []string{key}, Value: value})
	return err
}

func (c *client) Get(ctx context.Context, key string) ([]byte, error) {
	for {
		a, err := c.do(request{Do: "get", Keys: []string{key}})
		if err != nil || a.OK {
			return a.Value, err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *client) Add(key string, n int64) (int64, error) {
	a, err := c.do(request{Do: "add", Keys: []string{key}, N: n})
	return a.N, err
}

func (c *client) Has(keys ...string) (bool, error) {
	a, err := c.do(request{Do: "has", Keys: keys})
	return a.OK, err
}

func (c *client) Port() int {
	_, port, _ := net.SplitHostPort(c.address)
	n, _ := strconv.Atoi(port)
	return n
}

func (c *client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil {
		c.server.close()
	}
	if c.conn == nil {
		return errors.New("closed already")
	}
	return c.conn.Close()
}
