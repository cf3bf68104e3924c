package launch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pptsn/pptsn/launch"
)

// The test binary is also worker and launcher of the tests.
func TestMain(m *testing.M) {
	switch os.Getenv("LAUNCH_TEST") {
	case "worker":
		os.Exit(work(os.Getenv("LAUNCH_TEST_DIR"), os.Getenv("LAUNCH_TEST_DEAF") == "1"))
	case "launcher":
		os.Exit(launchChild())
	}
	os.Exit(m.Run())
}

// A report is what a worker says of itself, in the file ROUND.RANK.
type report struct {
	launch.World
	Pid     int
	Devices string // CUDA_VISIBLE_DEVICES
}

// work reports and then does what the file do.ROUND.RANK, do.ROUND or do says:
// lines of "exit N", "crash", or text to print. SIGTERM ends it with status 130,
// unless the file save says otherwise.
func work(dir string, deaf bool) int {
	term := make(chan os.Signal, 2)
	signal.Notify(term, syscall.SIGTERM, syscall.SIGINT)
	w, ok, err := launch.FromEnvironment(os.Getenv)
	if !ok || err != nil {
		fmt.Fprintln(os.Stderr, "no worker:", err)
		return 70
	}
	name := fmt.Sprintf("%d.%d", w.Round, w.Rank)
	fmt.Printf("rank %d of %d in round %d\n", w.Rank, w.Size, w.Round)
	data, _ := json.Marshal(report{w, os.Getpid(), os.Getenv("CUDA_VISIBLE_DEVICES")})
	if err := put(filepath.Join(dir, name), string(data)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 71
	}
	for {
		for _, f := range []string{"do." + name, fmt.Sprintf("do.%d", w.Round), "do"} {
			if script, err := os.ReadFile(filepath.Join(dir, f)); err == nil {
				return perform(string(script))
			}
		}
		select {
		case <-term:
			if !deaf {
				put(filepath.Join(dir, "saved."+name), "")
				if save, err := os.ReadFile(filepath.Join(dir, "save")); err == nil {
					return perform(string(save))
				}
				return 130
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func perform(script string) int {
	for _, line := range strings.Split(script, "\n") {
		if code, ok := strings.CutPrefix(line, "exit "); ok {
			n, _ := strconv.Atoi(code)
			return n
		}
		if line == "crash" {
			panic("a mistake in a worker")
		}
		fmt.Fprintln(os.Stderr, line)
	}
	return 0
}

// put writes a file that appears whole.
func put(path, text string) error {
	if err := os.WriteFile(path+".part", []byte(text), 0o666); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// A childJob is what a launcher in a process of its own is told.
type childJob struct {
	launch.Topology
	launch.Timing
	Dir   string
	Host  string
	Torch bool // its store is c10d's
}

func launchChild() int {
	var c childJob
	if err := json.Unmarshal([]byte(os.Getenv("LAUNCH_TEST_JOB")), &c); err != nil {
		panic(err)
	}
	j := newJob(c.Dir, c.Topology)
	j.Timing, j.Host = c.Timing, c.Host
	if c.Torch {
		j.Open = openTorch
	}
	j.Log = func(format string, args ...any) { fmt.Fprintf(os.Stderr, c.Host+": "+format+"\n", args...) }
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err := j.Run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if errors.Is(err, launch.ErrInterrupted) {
		return 130
	}
	if err != nil {
		return 1
	}
	return 0
}

// newJob is a job whose workers report to dir.
func newJob(dir string, t launch.Topology) *launch.Job {
	return &launch.Job{
		Topology: t,
		Command:  []string{os.Args[0]},
		Env:      []string{"LAUNCH_TEST=worker", "LAUNCH_TEST_DIR=" + dir},
		Stdout:   io.Discard, Stderr: io.Discard,
		Open: openStore,
		Timing: launch.Timing{
			JoinTimeout: time.Minute,
			LastCall:    100 * time.Millisecond,
			Beat:        50 * time.Millisecond,
			Lost:        4 * time.Second,
			Grace:       20 * time.Second,
			Saving:      time.Minute,
		},
	}
}
