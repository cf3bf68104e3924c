package launch_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/launch"
	"github.com/pptsn/pptsn/torch"
)

// openTorch is Job.Open as commands have it.
func openTorch(ctx context.Context, a launch.StoreAddress) (launch.Store, error) {
	s, err := torch.OpenStore(ctx, torch.StoreOptions{Host: a.Host, Port: a.Port, Serve: a.Serve, Timeout: a.Timeout})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func needTorch(t *testing.T) {
	t.Helper()
	if _, err := torch.Version(); errors.As(err, new(*torch.NotFoundError)) {
		t.Skip(err)
	}
}

// The same over c10d's store.
func TestHostsWithTorch(t *testing.T) {
	needTorch(t)
	dir := t.TempDir()
	list := hosts(t, 2, 2, 1)
	change := func(j *launch.Job) { j.Open, j.MaxRestarts = openTorch, 1 }
	zero := newJob(dir, list[0])
	change(zero)
	one := newJob(dir, list[1])
	change(one)
	runs := []*run{start(t, one), start(t, zero)} // in the wrong order, as on hosts
	for round := range 2 {
		workers := reports(t, dir, round, 3)
		syscall.Kill(workers[2].Pid, syscall.SIGKILL)
	}
	for _, r := range runs {
		var f *launch.Failure
		if err := r.wait(t); !errors.As(err, &f) || f.Rank != 2 || f.Round != 1 {
			t.Errorf("%s: got %v", r.Host, err)
		}
	}
}

// However long the store's own patience is, an absent host 0 is given up when
// JoinTimeout is over.
func TestHostZeroAbsentWithTorch(t *testing.T) {
	needTorch(t)
	j := newJob(t.TempDir(), hosts(t, 2, 1, 1)[1])
	j.Open, j.JoinTimeout, j.Lost = openTorch, time.Second, time.Minute
	began := time.Now()
	err := start(t, j).wait(t)
	if took := time.Since(began); took > 10*time.Second || err == nil || !strings.Contains(err.Error(), "host 0 was not there for 1s") || !strings.Contains(err.Error(), "after 1s") {
		t.Errorf("after %v: %v", took, err)
	}
}
