package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pptsn/pptsn/launch"
	"github.com/pptsn/pptsn/torch"
)

// A meeting is a worker's way to the other ranks. A nil one is a process that
// is alone.
type meeting struct {
	world   launch.World
	timeout time.Duration
	store   *torch.Store
	told    bool // rank 0 has said that the others may come
}

// storeAnswers is how long an answer of the store may take.
const storeAnswers = 30 * time.Second

// meet opens the store. Nil for a process that is no worker.
func meet(ctx context.Context, w *launch.World, timeout time.Duration) (*meeting, error) {
	if w == nil {
		return nil, nil
	}
	if _, err := torch.Version(); err != nil {
		return nil, err
	}
	m := &meeting{world: *w, timeout: timeout}
	o := torch.StoreOptions{Host: w.Master, Port: w.Port, Serve: w.Serve, Timeout: min(timeout, storeAnswers)}
	var err error
	for begin := time.Now(); ; { // rank 0 may keep it, and not be there yet
		m.store, err = torch.OpenStore(ctx, o)
		if err == nil || w.Serve || ctx.Err() != nil || time.Since(begin) >= timeout {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("rank %d of %d: %w (rank 0's host; pptsn doctor tells more)", w.Rank, w.Size, err)
	}
	return m, nil
}

// rank is this process's number, 0 for one that is alone.
func (m *meeting) rank() int {
	if m == nil {
		return 0
	}
	return m.world.Rank
}

// size is the number of ranks.
func (m *meeting) size() int {
	if m == nil {
		return 1
	}
	return m.world.Size
}

// key is one of this round's.
func (m *meeting) key(name string) string { return fmt.Sprintf("pptsn/%d/%s", m.world.Round, name) }

// What rank 0 says to ranks that wait for it, if not an error.
const (
	comeIn      = "come"
	interrupted = "interrupted"
)

// join connects the ranks when rank 0 has found nothing wrong, however long it
// looks.
func (m *meeting) join(ctx context.Context, s *torch.Session) (*torch.Group, error) {
	if err := m.open(ctx); err != nil {
		return nil, err
	}
	return torch.NewGroup(ctx, s, m.store, torch.GroupOptions{
		Rank: m.world.Rank, Size: m.world.Size, Prefix: m.key("group"), Timeout: m.timeout,
		Interface: os.Getenv("GLOO_SOCKET_IFNAME"), // NCCL looks for its own itself
	})
}

// open lets the other ranks come, or waits for rank 0 to do so.
func (m *meeting) open(ctx context.Context) error {
	if m.world.Rank == 0 {
		m.told = true
		return m.store.Set(m.key("word"), []byte(comeIn))
	}
	word, err := m.store.Get(ctx, m.key("word"))
	switch {
	case err != nil:
		return err
	case string(word) == interrupted:
		return fmt.Errorf("rank 0 was interrupted: %w", context.Canceled)
	case string(word) != comeIn:
		return fmt.Errorf("rank 0: %s", word)
	}
	m.told = true
	return nil
}

// rank0First is how long a rank that cannot begin leaves it to rank 0 to say why.
const rank0First = 2 * time.Second

// close leaves; err is what ended this process. Ranks that still wait for rank
// 0 learn of it.
func (m *meeting) close(ctx context.Context, err error) {
	if m == nil {
		return
	}
	switch {
	case m.told || err == nil:
	case m.world.Rank == 0:
		word := err.Error()
		if errors.Is(err, context.Canceled) {
			word = interrupted
		}
		m.store.Set(m.key("word"), []byte(word)) // if it fails, they see that rank 0 is gone
	case m.world.Launched: // what is wrong for all is shown once: rank 0's end comes first, and ends ctx
		select {
		case <-ctx.Done():
		case <-time.After(rank0First):
		}
	}
	m.store.Close()
}

// report says that rank 0 has done its work, with errors that it has shown. It
// returns what the process must end with.
func (m *meeting) report(err error) error {
	if m == nil || !m.world.Launched || !errors.Is(err, errReported) {
		return err
	}
	return m.store.Set(reportedKey, []byte("yes"))
}

// The key below which rank 0 says whether its run has begun, over all rounds.
const runKey = "pptsn/run"

// What stands there.
const (
	beginning = "beginning" // nothing in the output folder is of this run yet
	begun     = "begun"
)

// begin says that nothing was done yet.
func (m *meeting) begin() error {
	if m == nil || m.world.Round > 0 {
		return nil
	}
	return m.store.Set(runKey, []byte(beginning))
}

// hasBegun says that the newest checkpoint from now on is one of this run.
func (m *meeting) hasBegun() error {
	if m == nil {
		return nil
	}
	return m.store.Set(runKey, []byte(begun))
}

// restarted says whether to go on from the newest checkpoint since the run was
// started again. One that failed before it had begun starts as it was given: the
// newest checkpoint may be of an older run. A store that knows nothing is new,
// as its host is.
func (m *meeting) restarted(ctx context.Context) (bool, error) {
	if m == nil || m.world.Round == 0 {
		return false, nil
	}
	there, err := m.store.Has(runKey)
	if !there || err != nil {
		return true, err
	}
	word, err := m.store.Get(ctx, runKey)
	return string(word) != beginning, err
}
