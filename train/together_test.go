package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// The environment of the processes that a test starts.
const (
	rankVariable = "PPTSN_TEST_RANK"
	sizeVariable = "PPTSN_TEST_SIZE"
	portVariable = "PPTSN_TEST_STORE"
)

// A member is one of the processes of a test.
type member struct {
	*testing.T
	store      *torch.Store
	rank, size int
	groups     int // so far
}

// processes runs f in each of size processes, which are this test once more.
func processes(t *testing.T, size int, f func(m *member)) {
	t.Helper()
	if os.Getenv(rankVariable) != "" {
		f(newMember(t))
		return
	}
	start(t) // skips without libtorch
	if os.Getenv("PPTSN_TORCH_DEVICE") == "cuda" {
		t.Skip("one device has room for one rank of NCCL")
	}
	if backends, err := torch.Backends(); err != nil || !slices.Contains(backends, torch.Gloo) {
		t.Skip("libtorch's shim was built without Gloo: ", err)
	}
	store, err := torch.OpenStore(t.Context(), torch.StoreOptions{Host: "127.0.0.1", Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	children, outputs := make([]*exec.Cmd, size), make([]bytes.Buffer, size)
	for rank := range children {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), rankVariable+"="+strconv.Itoa(rank), sizeVariable+"="+strconv.Itoa(size),
			portVariable+"="+strconv.Itoa(store.Port()), "OMP_NUM_THREADS=1")
		cmd.Stdout, cmd.Stderr = &outputs[rank], &outputs[rank]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		children[rank] = cmd
	}
	hung := time.AfterFunc(2*time.Minute, func() {
		for _, cmd := range children {
			cmd.Process.Signal(syscall.SIGQUIT)
		}
	})
	defer hung.Stop()
	for rank, cmd := range children {
		if err := cmd.Wait(); err != nil {
			t.Errorf("rank %d of %d: %v\n%s", rank, size, err, &outputs[rank])
		} else if testing.Verbose() {
			t.Logf("rank %d of %d:\n%s", rank, size, &outputs[rank])
		}
	}
}

func newMember(t *testing.T) *member {
	number := func(name string) int {
		n, err := strconv.Atoi(os.Getenv(name))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	m := &member{T: t, rank: number(rankVariable), size: number(sizeVariable)}
	var err error
	m.store, err = torch.OpenStore(t.Context(), torch.StoreOptions{Host: "127.0.0.1", Port: number(portVariable)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.store.Close() })
	return m
}

// join is a Job.Join. Each call makes another group.
func (m *member) join(ctx context.Context, s *torch.Session) (*torch.Group, error) {
	m.groups++
	return torch.NewGroup(ctx, s, m.store, torch.GroupOptions{
		Rank: m.rank, Size: m.size, Prefix: fmt.Sprint("group", m.groups), Timeout: 30 * time.Second,
	})
}

// learner is one that learns together with those of the other ranks.
func (m *member) learner(n *tiny, o LearnerOptions) *Learner {
	m.Helper()
	session := startCPU(m.T, 1)
	var err error
	if o.Group, err = m.join(m.Context(), session); err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { o.Group.Close() })
	return n.learner(m.T, session, n.w, o)
}

// cut takes some clips of a batch.
func (b MicroBatch) cut(from, to int) MicroBatch {
	rows := func(d *tensor.Dense) *tensor.Dense {
		size := len(d.Data) / d.Shape[0]
		shape := slices.Clone(d.Shape)
		shape[0] = to - from
		return &tensor.Dense{Type: d.Type, Shape: shape, Data: d.Data[from*size : to*size]}
	}
	b.Views, b.Targets = rows(b.Views), rows(b.Targets)
	return b
}

// near compares weights, rounded to float32.
func near(t *testing.T, what string, got, want graph.Weights, tolerance float64) {
	t.Helper()
	for name, d := range want {
		if err := graphtest.Compare(got[name], d, tolerance); err != nil {
			t.Errorf("%s: %s: %v", what, name, err)
		}
	}
}

// update reduces and updates.
func update(t *testing.T, l *Learner, lr float64) {
	t.Helper()
	err := l.Reduce(t.Context(), "a step")
	if err == nil {
		_, err = l.Update(t.Context(), lr)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func accumulate(t *testing.T, l *Learner, b MicroBatch) {
	t.Helper()
	if _, err := l.Accumulate(t.Context(), b); err != nil && !errors.Is(err, ErrNotFinite) {
		t.Fatal(err)
	}
}
