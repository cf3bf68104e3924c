package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/launch"
	"github.com/pptsn/pptsn/torch"
)

// job is this command once more as the workers of a run. wanted says whether
// they may use GPUs.
func (r *ranksFlags) job(cmd *cobra.Command, t launch.Topology, wanted bool) (*launch.Job, error) {
	devices, err := r.workerDevices(t, wanted)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &launch.Job{
		Topology: t, Command: append([]string{exe}, os.Args[1:]...), Devices: devices,
		LogDir: r.logDir, MaxRestarts: r.maxRestarts,
		Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(),
		Log:    func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), "pptsn: "+format+"\n", args...) },
		Open:   openStore,
		Timing: launch.Timing{JoinTimeout: r.timeout},
	}, nil
}

// openStore is a function of its own so that no typed nil becomes a Store.
func openStore(ctx context.Context, a launch.StoreAddress) (launch.Store, error) {
	s, err := torch.OpenStore(ctx, torch.StoreOptions{Host: a.Host, Port: a.Port, Serve: a.Serve, Timeout: a.Timeout})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// workerDevices are the GPUs of this host's workers; nil: CPUs.
func (r *ranksFlags) workerDevices(t launch.Topology, wanted bool) ([]int, error) {
	list, err := r.devices()
	if err != nil {
		return nil, err
	}
	n, err := torch.CUDADevices()
	switch {
	case err != nil:
		return nil, err
	case list != nil:
		return list, devicesThere(list, n, wanted)
	case r.procs > 0 || !wanted || n == 0:
		return nil, nil
	case t.Procs > n:
		return nil, fmt.Errorf("%d processes for %d CUDA devices: start as many, or say --nproc %d for CPUs", t.Procs, n, t.Procs)
	}
	for i := range t.Procs {
		list = append(list, i)
	}
	return list, nil
}

// launch starts the workers and waits for them.
func (r *ranksFlags) launch(cmd *cobra.Command, t launch.Topology, wanted bool) error {
	job, err := r.job(cmd, t, wanted)
	if err != nil {
		return err
	}
	reported := false
	job.Open = func(ctx context.Context, a launch.StoreAddress) (launch.Store, error) {
		s, err := openStore(ctx, a)
		if err != nil {
			return nil, err
		}
		return &endStore{s, &reported}, nil
	}
	err = launched(job.Run(cmd.Context()), t.NodeRank)
	if err == nil && reported {
		return errReported
	}
	return err
}

// reportedKey in the store says that rank 0 has done its work and has reported
// errors in it: its exit code must be the launcher's, but is no reason to start
// again.
const reportedKey = "pptsn/reported"

// An endStore looks in the end whether errors were reported.
type endStore struct {
	launch.Store
	reported *bool
}

// Close looks, then closes.
func (s *endStore) Close() error {
	if there, err := s.Has(reportedKey); err == nil && there {
		*s.reported = true
	}
	return s.Store.Close()
}

// launched makes the error of a worker the command's, also where the run was
// interrupted: it has not saved then. What rank 0 said is on the terminal of the
// first host already.
func launched(err error, node int) error {
	var f *launch.Failure
	if !errors.As(err, &f) {
		return err
	}
	if f.Rank == 0 && node == 0 {
		short := *f
		short.Lines, f = nil, &short
	}
	if f.Code == exitUsage {
		return usageError{f}
	}
	return unexcusedError{f}
}
