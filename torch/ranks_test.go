package torch_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/torch"
)

// A member is one of the processes of a test.
type member struct {
	*testing.T
	session    *torch.Session
	store      *torch.Store
	group      *torch.Group
	rank, size int
}

// The environment of a test's processes.
const (
	rankVariable = "PPTSN_TEST_RANK"
	sizeVariable = "PPTSN_TEST_SIZE"
	portVariable = "PPTSN_TEST_STORE"
)

// processes runs a test's f in so many processes, whose store this one keeps.
// Ranks that are expected to die are named.
func processes(t *testing.T, size int, timeout time.Duration, f func(m *member), doomed ...int) {
	t.Helper()
	if os.Getenv(rankVariable) != "" {
		if os.Getenv(sizeVariable) == strconv.Itoa(size) {
			join(t, timeout, f)
		}
		return
	}
	carried(t, size)
	store := serve(t)
	children := make([]*exec.Cmd, size)
	outputs := make([]bytes.Buffer, size)
	for rank := range children {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), rankVariable+"="+strconv.Itoa(rank), sizeVariable+"="+strconv.Itoa(size), portVariable+"="+strconv.Itoa(store.Port()))
		cmd.Stdout, cmd.Stderr = &outputs[rank], &outputs[rank]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		children[rank] = cmd
	}
	limit := time.AfterFunc(2*time.Minute, func() {
		for _, cmd := range children {
			cmd.Process.Signal(syscall.SIGQUIT)
		}
	})
	defer limit.Stop()
	for rank, cmd := range children {
		if slices.Contains(doomed, rank) {
			continue
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("rank %d of %d: %v\n%s", rank, size, err, &outputs[rank])
		} else if testing.Verbose() {
			t.Logf("rank %d of %d:\n%s", rank, size, &outputs[rank])
		}
	}
	for _, rank := range doomed {
		children[rank].Process.Kill()
		children[rank].Wait()
	}
}

// carried skips a test of so many ranks where no backend carries it.
func carried(t *testing.T, size int) {
	t.Helper()
	want := torch.Gloo
	if device(t).CUDA {
		if want = torch.NCCL; size > 1 {
			t.Skip("NCCL has one rank on a device")
		}
	}
	if have, err := torch.Backends(); err != nil || !slices.Contains(have, want) {
		t.Skipf("the shim has %v, not %s (%v)", have, want, err)
	}
}

func serve(t *testing.T) *torch.Store {
	t.Helper()
	store, err := torch.OpenStore(t.Context(), torch.StoreOptions{Host: "127.0.0.1", Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// join makes this process the rank that its environment says.
func join(t *testing.T, timeout time.Duration, f func(m *member)) {
	number := func(name string) int {
		n, err := strconv.Atoi(os.Getenv(name))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	m := &member{T: t, rank: number(rankVariable), size: number(sizeVariable), session: session(t)}
	var err error
	m.store, err = torch.OpenStore(t.Context(), torch.StoreOptions{Host: "127.0.0.1", Port: number(portVariable)})
	if err != nil {
		t.Fatal(err)
	}
	defer m.store.Close()
	m.group, err = torch.NewGroup(t.Context(), m.session, m.store, torch.GroupOptions{Rank: m.rank, Size: m.size, Prefix: "test", Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	defer m.group.Close()
	f(m)
}

// do runs f on the session.
func (m *member) do(f func(s *torch.Scope)) {
	m.Helper()
	if err := m.session.Do(m.Context(), func(s *torch.Scope) error { f(s); return nil }); err != nil {
		m.Fatal(fmt.Errorf("rank %d: %w", m.rank, err))
	}
}
