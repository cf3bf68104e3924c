package launch

import (
	"context"
	"fmt"
	"strings"
	"syscall"
)

// ErrInterrupted is returned where a launcher or a worker was asked to stop,
// and all workers have ended.
var ErrInterrupted = fmt.Errorf("launch: interrupted: %w", context.Canceled)

// A Failure is the worker that made a run fail: the first one of all.
type Failure struct {
	Rank   int
	Round  int
	Host   string
	Pid    int            // 0: it could not be started
	Code   int            // exit status
	Signal syscall.Signal // that killed it; 0: it ended by itself
	Crash  bool           // it ended with a stack trace of Go
	Late   bool           // it was asked to save, did not end in time and was killed for it
	Start  string         // why it could not be started
	Log    string         // file with its output, on its host
	Lines  []string       // the last ones of its output
}

// Error says what became of which worker, and what it said last.
func (f *Failure) Error() string {
	s := "launch: " + f.summary()
	if f.Log != "" {
		s += "; log: " + f.Log
	}
	if len(f.Lines) > 0 {
		s += "; its last lines:\n    " + strings.Join(f.Lines, "\n    ")
	}
	return s
}

// summary is Error without what the worker said.
func (f *Failure) summary() string {
	if f.Start != "" {
		return fmt.Sprintf("rank %d (%s) could not be started: %s", f.Rank, f.Host, f.Start)
	}
	return fmt.Sprintf("rank %d (%s, pid %d) failed: %s", f.Rank, f.Host, f.Pid, f.end())
}

func (f *Failure) end() string {
	switch {
	case f.Late:
		return "it was asked to save, had not ended in time, and was killed"
	case f.Signal == syscall.SIGKILL:
		return "killed by signal 9: out of memory? see dmesg"
	case f.Signal != 0:
		return fmt.Sprintf("killed by signal %d (%v)", int(f.Signal), f.Signal)
	case f.Crash:
		return fmt.Sprintf("it crashed (exit status %d)", f.Code)
	default:
		return fmt.Sprintf("exit status %d", f.Code)
	}
}

// exitUsage is the exit status of a wrong command line.
const exitUsage = 2

// final says whether starting again cannot help.
func (f *Failure) final() bool {
	return f.Start != "" || f.Signal == 0 && f.Code == exitUsage && !f.Crash
}

// before says whether f is rather the cause than g, which was seen first.
// A worker that was killed takes others along, which may end before the
// kernel has put it away.
func (f *Failure) before(g *Failure) bool {
	return g == nil || f.killed() && !g.killed()
}

// killed says whether it was, and not by its launcher.
func (f *Failure) killed() bool { return f.Signal == syscall.SIGKILL && !f.Late }
