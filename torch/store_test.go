package torch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/torch"
)

func connect(t *testing.T, port int) *torch.Store {
	t.Helper()
	s, err := torch.OpenStore(t.Context(), torch.StoreOptions{Host: "127.0.0.1", Port: port, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	device(t)
	server := serve(t)
	client := connect(t, server.Port())
	value := bytes.Repeat([]byte{0, 1, 255}, 1000)
	if err := client.Set("key", value); err != nil {
		t.Fatal(err)
	}
	if err := client.Set("empty", nil); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string][]byte{"key": value, "empty": {}} {
		if b, err := server.Get(t.Context(), key); err != nil || !bytes.Equal(b, want) {
			t.Errorf("%s: %d bytes, %v, want %d bytes", key, len(b), err, len(want))
		}
	}
	for _, tc := range []struct {
		keys []string
		want bool
	}{{[]string{"key"}, true}, {[]string{"key", "empty"}, true}, {[]string{"key", "other"}, false}, {nil, true}} {
		if yes, err := client.Has(tc.keys...); err != nil || yes != tc.want {
			t.Errorf("has %q: %v, %v", tc.keys, yes, err)
		}
	}
	for i, add := range []int64{5, -7, 0} {
		if n, err := client.Add("count", add); err != nil || n != []int64{5, -2, -2}[i] {
			t.Errorf("add %d: %d, %v", add, n, err)
		}
	}
}

// Whoever waits for a key does not keep others from theirs.
func TestStoreManyGoroutines(t *testing.T) {
	device(t)
	server := serve(t)
	client := connect(t, server.Port())
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			want := strconv.Itoa(i)
			if b, err := client.Get(t.Context(), "late "+want); err != nil || string(b) != want {
				t.Errorf("late %d: %q, %v", i, b, err)
			}
		})
		wg.Go(func() {
			for range 50 {
				if _, err := client.Add("count", 1); err != nil {
					t.Error(err)
				}
			}
			if err := server.Set(fmt.Sprint("late ", i), []byte(strconv.Itoa(i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n, err := server.Add("count", 0); err != nil || n != 16*50 {
		t.Errorf("the count is %d, %v, want %d", n, err, 16*50)
	}
}

func TestCancelStore(t *testing.T) {
	device(t)
	client := connect(t, serve(t).Port())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := client.Get(ctx, "never")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "never") {
		t.Errorf("error is %v, want the context's, with the key", err)
	}
	if err := client.Set("other", nil); err != nil {
		t.Error(err)
	}
}

// A store that was closed is an error that names it, and one that comes back on
// its port is found again.
func TestStoreGoneConcurrent(t *testing.T) {
	device(t)
	server := serve(t)
	client := connect(t, server.Port())
	waits := make(chan error, 1)
	go func() { _, err := client.Get(t.Context(), "never"); waits <- err }()
	time.Sleep(20 * time.Millisecond)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprint("127.0.0.1:", server.Port())
	_, get := client.Get(t.Context(), "key")
	for _, err := range []error{<-waits, get, client.Set("key", nil)} {
		if err == nil || !strings.Contains(err.Error(), address) {
			t.Errorf("error is %v, want one that names %s", err, address)
		}
	}
	if err := server.Set("key", nil); !errors.Is(err, torch.ErrClosed) {
		t.Errorf("after Close: %v, want ErrClosed", err)
	}
	again, err := torch.OpenStore(t.Context(), torch.StoreOptions{Host: "127.0.0.1", Port: server.Port(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := client.Set("key", []byte("back")); err != nil {
		t.Errorf("the store is back: %v", err)
	}
}

// Clients wait for a store that comes later.
func TestStoreThatComesLaterConcurrent(t *testing.T) {
	device(t)
	port := testdata.FreePort(t)
	opened := make(chan error, 1)
	go func() {
		s, err := torch.OpenStore(t.Context(), torch.StoreOptions{Host: "127.0.0.1", Port: port})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	time.Sleep(150 * time.Millisecond)
	server, err := torch.OpenStore(t.Context(), torch.StoreOptions{Host: "127.0.0.1", Port: port, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := <-opened; err != nil {
		t.Error(err)
	}
	_, err = torch.OpenStore(t.Context(), torch.StoreOptions{Host: "127.0.0.1", Port: port, Serve: true})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second store on the port: %v", err)
	}
}

// Nobody there, a port that swallows all it is sent: both end in time.
func TestStoreOutOfReach(t *testing.T) {
	device(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mute := l.Addr().(*net.TCPAddr).Port
	go func() { // taken, never answered
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	for _, port := range []int{1, mute} {
		began := time.Now()
		s, err := torch.OpenStore(t.Context(), torch.StoreOptions{Host: "127.0.0.1", Port: port, Timeout: 300 * time.Millisecond})
		if err == nil { // the port may take the connection; then no answer comes
			_, err = s.Add("key", 1)
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint("127.0.0.1:", port)) || time.Since(began) > 5*time.Second {
			t.Errorf("port %d: after %v: %v", port, time.Since(began), err)
		}
		t.Log(err)
	}
}
