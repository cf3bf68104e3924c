package launch

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// A worker is a process of a round.
type worker struct {
	rank   int
	cmd    *exec.Cmd
	out    *output
	asked  bool // by SIGTERM, to end
	killed bool // by us
	ended  bool
}

// An exit is how a worker ended.
type exit struct {
	w     *worker
	state *os.ProcessState
}

// A seat is what a worker is told of its place.
type seat struct {
	World
	node int
}

// startWorker runs on the thread that all workers belong to.
func (j *Job) startWorker(s seat) (*worker, error) {
	env, err := j.environment(s)
	if err != nil {
		return nil, err
	}
	out, err := openOutput(j.LogDir, s.Rank, s.Round, j.Log)
	if err != nil {
		return nil, err
	}
	w := &worker{rank: s.Rank, out: out, cmd: exec.Command(j.Command[0], j.Command[1:]...)}
	w.cmd.Env = env
	w.cmd.SysProcAttr = attributes()
	w.cmd.WaitDelay = time.Second // for what its children hold open
	w.cmd.Stdout, w.cmd.Stderr = out, out
	if s.Rank == 0 {
		w.cmd.Stdout, w.cmd.Stderr = out.and(j.Stdout), out.and(j.Stderr)
	}
	if err := w.cmd.Start(); err != nil {
		out.close()
		return nil, err
	}
	return w, nil
}

// environment is that of the launcher, with torchrun's variables.
func (j *Job) environment(s seat) ([]string, error) {
	env := append(os.Environ(), j.Env...)
	if j.Devices != nil {
		d, err := visible(j.Devices[s.LocalRank], lookup(env, "CUDA_VISIBLE_DEVICES"))
		if err != nil {
			return nil, err
		}
		env = append(env, "CUDA_VISIBLE_DEVICES="+d)
	}
	return append(env,
		"RANK="+strconv.Itoa(s.Rank),
		"WORLD_SIZE="+strconv.Itoa(s.Size),
		"LOCAL_RANK="+strconv.Itoa(s.LocalRank),
		"LOCAL_WORLD_SIZE="+strconv.Itoa(s.LocalSize),
		"GROUP_RANK="+strconv.Itoa(s.node),
		"MASTER_ADDR="+s.Master,
		"MASTER_PORT="+strconv.Itoa(s.Port),
		"TORCHELASTIC_USE_AGENT_STORE=True",
		"PPTSN_ROUND="+strconv.Itoa(s.Round),
		"PPTSN_LAUNCHED=1",
		"PPTSN_WHY="+printable(s.Why),
	), nil
}

// printable is a line fit for a variable: hosts give themselves their names.
func printable(line string) string {
	const most = 1000
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, line[:min(len(line), most)])
}

// lookup finds a variable's value; of several the last counts, as in os/exec.
func lookup(env []string, name string) string {
	value := ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			value = v
		}
	}
	return value
}

// visible is a device as CUDA_VISIBLE_DEVICES wants it. Devices are counted
// among those that the launcher itself may see, as everywhere in CUDA.
func visible(device int, mine string) (string, error) {
	if mine == "" {
		return strconv.Itoa(device), nil
	}
	list := strings.Split(mine, ",")
	if device >= len(list) {
		return "", fmt.Errorf("device %d: CUDA_VISIBLE_DEVICES=%s shows %d", device, mine, len(list))
	}
	return list[device], nil
}

// wait reports the end of the process.
func (w *worker) wait(exits chan<- exit) {
	w.cmd.Wait() // how it ended is in ProcessState; errors of the pipes do not matter
	exits <- exit{w, w.cmd.ProcessState}
}

// ask asks the worker to save and end, once: a second SIGTERM would end it at once.
func (w *worker) ask() {
	if !w.asked && !w.ended {
		w.asked = true
		w.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	}
}

func (w *worker) kill() {
	if !w.ended {
		w.killed = true
		kill(w.cmd.Process.Pid)
	}
}

// Exit statuses of a worker that was asked to stop and did.
const (
	exitInterrupted = 130
	exitTerminated  = 143
)

// How a worker can end.
type ending int

const (
	endedWell ending = iota
	endedAsked
	endedKilled // by us
	endedBadly
)

func (e exit) ending() ending {
	status := e.state.Sys().(syscall.WaitStatus)
	switch {
	case e.state.Success():
		return endedWell
	case e.w.killed && status.Signaled() && status.Signal() == syscall.SIGKILL:
		return endedKilled
	case status.Signaled() && (status.Signal() == syscall.SIGTERM || status.Signal() == syscall.SIGINT):
		return endedAsked
	case status.ExitStatus() == exitInterrupted || status.ExitStatus() == exitTerminated:
		return endedAsked
	default:
		return endedBadly
	}
}

func (e exit) failure(host string, round int) *Failure {
	f := &Failure{Rank: e.w.rank, Round: round, Host: host, Pid: e.w.cmd.Process.Pid, Log: e.w.out.path}
	if status := e.state.Sys().(syscall.WaitStatus); status.Signaled() {
		f.Signal = status.Signal()
	} else {
		f.Code = status.ExitStatus()
	}
	f.Lines, f.Crash = e.w.out.last()
	return f
}
