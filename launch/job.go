package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pptsn/pptsn/internal/osthread"
)

// A Job is one host's part of a run: its workers, and what it agrees on with
// the launchers of other hosts.
type Job struct {
	Topology
	Command     []string // of each worker
	Env         []string // NAME=value, beside the launcher's environment
	Devices     []int    // the CUDA device of each worker; nil: none is chosen
	LogDir      string   // for the files worker.RANK; "": none. It is made if need be
	MaxRestarts int      // how often the run begins again after a worker failed; node 0's counts

	Stdout, Stderr io.Writer                        // for rank 0; nil: nowhere
	Log            func(format string, args ...any) // a line for the user; nil: nobody
	Host           string                           // this host's name in messages; "": the system's

	// Open opens the store: package torch has one.
	Open func(ctx context.Context, a StoreAddress) (Store, error)

	Timing
}

// Timing is how long launchers wait. The zero value is for real networks.
type Timing struct {
	JoinTimeout time.Duration // for all hosts to be there, at first and after a loss; 0: 10 minutes
	LastCall    time.Duration // for more hosts where there are enough; 0: 5 s
	Beat        time.Duration // between signs of life; 0: 1 s
	Lost        time.Duration // silence after which a host is lost; 0: 10 s
	Grace       time.Duration // from SIGTERM to SIGKILL in a broken round; 0: 5 s
	Saving      time.Duration // the same where workers save; 0: 100 s, which Kubernetes' 120 s leave
}

// withDefaults fills what is zero.
func (t Timing) withDefaults() Timing {
	for _, d := range []struct {
		to *time.Duration
		d  time.Duration
	}{
		{&t.JoinTimeout, 10 * time.Minute},
		{&t.LastCall, 5 * time.Second},
		{&t.Beat, time.Second},
		{&t.Lost, 10 * time.Second},
		{&t.Grace, 5 * time.Second},
		{&t.Saving, 100 * time.Second},
	} {
		if *d.to <= 0 {
			*d.to = d.d
		}
	}
	return t
}

// poll is the time between looks into the store.
func (t Timing) poll() time.Duration { return min(100*time.Millisecond, t.Beat) }

// Run starts the workers and returns when the run has ended on all hosts: nil,
// the *Failure of the worker that ended it, or ErrInterrupted after the context
// ended or a worker was told to stop. No worker is left then.
func (j *Job) Run(ctx context.Context) error {
	filled, err := j.prepare()
	if err != nil {
		return err
	}
	// Workers end with the thread that started them.
	thread, err := osthread.Start(func() (struct{}, error) { return struct{}{}, nil }, func(struct{}) {})
	if err != nil {
		return err
	}
	defer thread.Stop()
	l := &launcher{job: filled, thread: thread, status: status{
		Nodes: filled.nodes(), Node: filled.NodeRank, Host: filled.Host, Pid: os.Getpid(), Procs: filled.Procs, Round: -1, Waits: true,
	}}
	if filled.NodeRank == 0 {
		return l.serve(ctx)
	}
	return l.join(ctx)
}

// prepare is a copy with defaults, whose log folder is there.
func (j *Job) prepare() (*Job, error) {
	c := *j
	c.Timing = c.withDefaults()
	if c.Log == nil {
		c.Log = func(string, ...any) {}
	}
	if len(c.Command) == 0 || c.Open == nil {
		return nil, errors.New("launch: a job without a command or a store")
	}
	if c.Devices != nil && len(c.Devices) != c.Procs {
		return nil, fmt.Errorf("launch: %d processes on %d devices: want one for each", c.Procs, len(c.Devices))
	}
	if c.Host == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("launch: %w", err)
		}
		c.Host = name
	}
	if c.LogDir != "" {
		if err := os.MkdirAll(c.LogDir, 0o777); err != nil {
			return nil, fmt.Errorf("launch: %w", err)
		}
	}
	return &c, nil
}

func (j *Job) address() StoreAddress {
	return StoreAddress{Host: j.Master, Port: j.Port, Serve: j.NodeRank == 0, Timeout: j.Lost}
}
