package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pptsn/pptsn/internal/turns"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/train"
	"github.com/pptsn/pptsn/tsn"
)

// python is the system's, for which Debian packages PyTorch.
const python = "/usr/bin/python3"

const (
	trainTurns = 8                      // of each side in one iteration of a benchmark
	trainWarm  = 2                      // steps before: memory is asked for, kernels are made
	trainRest  = 300 * time.Millisecond // before each turn: OpenMP's threads spin for a while
)

// stepVariable makes the test binary our side of BenchmarkTrainStep: it names
// the file of the run.
const stepVariable = "PPTSN_BENCH_STEP"

func TestMain(m *testing.M) {
	path := os.Getenv(stepVariable)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := steps(path, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// BenchmarkTrainStep is a training step of ResNet50-vd PP-TSN, 8 clips of 1
// segment, against PyTorch in Python with the same libtorch underneath: the
// same weights, batch and optimiser, each in a process of its own. Memory is
// what each process takes at most beyond what it has before its first step.
func BenchmarkTrainStep(b *testing.B) {
	if err := exec.Command(python, "-c", "import torch, numpy").Run(); err != nil {
		b.Skipf("%s has no PyTorch (Debian: apt-get install python3-torch): %v", python, err)
	}
	if _, err := torch.Version(); err != nil {
		b.Skip(err)
	}
	base := newTrainRun(b, 8, 1)
	for _, v := range []struct {
		name       string
		ours       bool // in bfloat16
		contiguous bool // PyTorch's layout
		theirs     bool // in bfloat16
		agree      float64
	}{
		{"fp32", false, false, false, 1e-5},
		{"bf16", true, false, true, 1e-3},
		{"bf16-to-default", true, true, false, 3e-2}, // PyTorch's default: fp32, contiguous
	} {
		b.Run(v.name, func(b *testing.B) {
			mine, theirs := base, base
			mine.BF16, theirs.BF16, theirs.Contiguous = v.ours, v.theirs, v.contiguous
			race(b, startOurs(b, mine).wait(b), startPython(b, theirs).wait(b), v.agree)
		})
	}
}

// race reports the times of both sides, in turns, and their memory.
func race(b *testing.B, ours, peer *stepper, tolerance float64) {
	first, want := ours.step(b).Loss, peer.step(b).Loss
	if !(math.Abs(first-want) <= tolerance*want) {
		b.Fatalf("the first losses are %v and PyTorch's %v", first, want)
	}
	for range trainWarm {
		ours.step(b)
		peer.step(b)
	}
	var mine, theirs, ratios []float64
	turn := func(s *stepper) float64 {
		time.Sleep(trainRest)
		return s.step(b).Seconds
	}
	for b.Loop() {
		for i := range trainTurns {
			var m, t float64
			if i%2 == 0 {
				m, t = turn(ours), turn(peer)
			} else {
				t, m = turn(peer), turn(ours)
			}
			mine, theirs, ratios = append(mine, m), append(theirs, t), append(ratios, t/m)
		}
	}
	b.ReportMetric(0, "ns/op") // of all turns together: says nothing
	for _, e := range []struct {
		name    string
		samples []float64
		side    *stepper
	}{{"ours", mine, ours}, {"pytorch", theirs, peer}} {
		median := turns.Median(e.samples)
		b.ReportMetric(median, e.name+"-s")
		b.ReportMetric(turns.Spread(e.samples), e.name+"-±%")
		b.ReportMetric(float64(e.side.last.Peak-e.side.ready.Resident)/1e6, e.name+"-MB")
		b.ReportMetric(float64(e.side.last.Peak)/1e6, e.name+"-peak-MB")
	}
	b.ReportMetric(turns.Median(ratios), "pytorch/ours")
}

// newTrainRun is a run of so many clips and segments of full size.
func newTrainRun(b testing.TB, clips, segments int) trainRun {
	return newTrainRunOf(b, 1, clips, segments, 224)
}

// newTrainRunOf writes weights and a batch, which seed decides, to files.
func newTrainRunOf(b testing.TB, seed uint64, clips, segments, side int) trainRun {
	b.Helper()
	dir := b.TempDir()
	r := trainRun{
		Weights: filepath.Join(dir, "weights"), Batch: filepath.Join(dir, "batch"),
		Shape: []int{clips, segments, 3, side, side}, Classes: 400, Smoothing: 0.1,
		LR: 0.01, Momentum: 0.9, Threads: threads, World: 1,
	}
	net, err := r.network()
	if err != nil {
		b.Fatal(err)
	}
	rules := map[string]trainParam{}
	for _, p := range train.DefaultRules(tsn.PPTSN, 1e-4).Trainable(net) {
		rules[p.Name] = trainParam{Trainable: true, LRMult: p.LRMult, Decay: p.Decay}
	}
	w := net.Init(headStd, 0)
	var values []*tensor.Dense
	for _, p := range net.Params {
		rule := rules[p.Name]
		rule.Name, rule.Shape = p.Name, p.Shape
		r.Params, values = append(r.Params, rule), append(values, w[p.Name])
	}
	batch, rng := tensor.New(tensor.Float32, r.Shape...), rand.New(rand.NewPCG(seed, 8))
	fill(batch, rng, 2)
	for range clips {
		r.Labels = append(r.Labels, rng.IntN(r.Classes))
	}
	if err := writeRaw(r.Weights, values...); err != nil {
		b.Fatal(err)
	}
	if err := writeRaw(r.Batch, batch); err != nil {
		b.Fatal(err)
	}
	return r
}

// A stepper is a process that does steps.
type stepper struct {
	cmd         *exec.Cmd
	in          io.WriteCloser
	out         *bufio.Scanner
	ready, last stepReport
}

// startOurs starts our side, behind a command that runs it, if any.
func startOurs(b testing.TB, r trainRun, wrap ...string) *stepper {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := command(wrap, exe)
	cmd.Env = append(cmd.Env, stepVariable+"="+runFile(b, r))
	return startStepper(b, cmd)
}

func startPython(b testing.TB, r trainRun, wrap ...string) *stepper {
	return startStepper(b, command(wrap, python, filepath.Join("testdata", "train_step.py"), runFile(b, r)))
}

func runFile(b testing.TB, r trainRun) string {
	text, err := json.Marshal(r)
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "run.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// startStepper starts a process, which ends with the benchmark.
func startStepper(b testing.TB, cmd *exec.Cmd) *stepper {
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close() // the process ends by itself
		cmd.Wait()
	})
	return &stepper{cmd: cmd, in: in, out: bufio.NewScanner(out)}
}

// wait waits until the process is ready.
func (s *stepper) wait(b testing.TB) *stepper {
	b.Helper()
	s.ready = s.answer(b)
	return s
}

func (s *stepper) step(b testing.TB) stepReport {
	b.Helper()
	s.begin(b)
	s.last = s.answer(b)
	return s.last
}

// begin asks for a step, whose answer comes later.
func (s *stepper) begin(b testing.TB) {
	b.Helper()
	if _, err := io.WriteString(s.in, "\n"); err != nil {
		b.Fatal(err)
	}
}

func (s *stepper) answer(b testing.TB) stepReport {
	var r stepReport
	if !s.out.Scan() {
		b.Fatal("a side ended early: ", s.out.Err())
	}
	if err := json.Unmarshal(s.out.Bytes(), &r); err != nil {
		b.Fatalf("%q: %v", s.out.Text(), err)
	}
	return r
}
