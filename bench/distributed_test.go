package bench

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/internal/turns"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// A team is ranks that step together.
type team []*stepper

// A side starts one rank of a run.
type side func(testing.TB, trainRun, ...string) *stepper

// newTeam starts a rank for each run, each on a core of its own if pinned.
func newTeam(b testing.TB, start side, pinned bool, runs ...trainRun) team {
	b.Helper()
	port := testdata.FreePort(b)
	ranks := make(team, len(runs))
	for i, r := range runs {
		r.World, r.Rank, r.Port = len(runs), i, port
		var wrap []string
		if pinned {
			wrap = []string{"taskset", "-c", strconv.Itoa(i)}
		}
		ranks[i] = start(b, r, wrap...)
	}
	for _, s := range ranks { // each is ready when all have met
		s.wait(b)
	}
	return ranks
}

// step is a step of all ranks: the mean loss, and the longest time.
func (t team) step(b testing.TB) (loss, seconds float64) {
	for _, s := range t {
		s.begin(b)
	}
	for _, s := range t {
		s.last = s.answer(b)
		loss += s.last.Loss / float64(len(t))
		seconds = max(seconds, s.last.Seconds)
	}
	return loss, seconds
}

func needPyTorch(b testing.TB) {
	b.Helper()
	if err := exec.Command(python, "-c", "import torch.distributed as d, numpy; assert d.is_available()").Run(); err != nil {
		b.Skipf("%s has no PyTorch (Debian: apt-get install python3-torch): %v", python, err)
	}
	if _, err := torch.Version(); err != nil {
		b.Skip(err)
	}
}

// With batch norms that each see the clips of their own rank, the weights after
// two steps of two ranks are those of PyTorch's DistributedDataParallel. All is
// in float64 but the files and the wanted distributions, and each step of such
// an untrained network makes differences some 60 times larger: of what the steps
// moved the weights they were 2e-6 after one step, 1e-4 after two and 8e-3 after
// three.
func TestStepsAreThoseOfDDP(t *testing.T) {
	needPyTorch(t)
	runs := []trainRun{newTrainRunOf(t, 1, 2, 2, 64), newTrainRunOf(t, 2, 2, 2, 64)}
	for i := range runs {
		runs[i].Weights, runs[i].Params = runs[0].Weights, runs[0].Params
		runs[i].Threads, runs[i].Double, runs[i].LR = 1, true, 1e-3 // at 1e-2 the loss explodes, and rounding with it
	}
	dumps := map[string]string{"ours": filepath.Join(t.TempDir(), "ours"), "pytorch": filepath.Join(t.TempDir(), "pytorch")}
	for name, start := range map[string]side{"ours": startOurs, "pytorch": startPython} {
		own := append([]trainRun(nil), runs...)
		own[0].Dump = dumps[name]
		ranks := newTeam(t, start, false, own...)
		for range 2 {
			loss, _ := ranks.step(t)
			t.Logf("%s: loss %v", name, loss)
		}
		for _, s := range ranks {
			s.stop(t)
		}
	}
	shapes := make([][]int, len(runs[0].Params))
	for i, p := range runs[0].Params {
		shapes[i] = p.Shape
	}
	var values [3][]*tensor.Dense
	for i, path := range []string{runs[0].Weights, dumps["ours"], dumps["pytorch"]} {
		var err error
		if values[i], err = readRaw(path, shapes...); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range runs[0].Params {
		if strings.HasSuffix(p.Name, "._variance") {
			continue // Paddle's running variance is the biased one, PyTorch's is not
		}
		moved := distance(values[2][i], values[0][i])
		rounding := 1e-7 * distance(values[0][i], tensor.New(tensor.Float32, p.Shape...)) // of the files, which are in float32
		if d := distance(values[1][i], values[2][i]); d > 1e-3*moved+rounding {
			t.Errorf("%s: differs from PyTorch's by %.2g of what the steps moved it", p.Name, d/moved)
		}
	}
}

// distance is the Euclidean distance of two arrays.
func distance(a, b *tensor.Dense) float64 {
	sum := 0.0
	for i, v := range a.Float32s() {
		d := float64(v - b.Float32s()[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}

// BenchmarkScaling is the same training step by one process on one core, and by
// two on a core each, ours beside PyTorch's DistributedDataParallel: how much
// faster two are with the same clips a process (2 would be ideal).
func BenchmarkScaling(b *testing.B) {
	needPyTorch(b)
	base := newTrainRunOf(b, 1, 8, 2, 224)
	base.Threads = 1
	sides := []struct {
		name  string
		start side
	}{{"ours", startOurs}, {"pytorch", startPython}}
	var teams [2][2]team
	for i, s := range sides {
		teams[i] = [2]team{newTeam(b, s.start, true, base), newTeam(b, s.start, true, base, base)}
		for _, t := range teams[i] {
			for range trainWarm {
				t.step(b)
			}
		}
	}
	var times [2][2][]float64
	for b.Loop() {
		for range trainTurns {
			for i := range sides {
				for k, t := range teams[i] {
					_, seconds := t.step(b)
					times[i][k] = append(times[i][k], seconds)
				}
			}
		}
	}
	b.ReportMetric(0, "ns/op") // of all together: says nothing
	for i, s := range sides {
		b.ReportMetric(turns.Median(times[i][0]), s.name+"-1-s")
		b.ReportMetric(turns.Median(times[i][1]), s.name+"-2-s")
		speedups := turns.Ratios(times[i][0], times[i][1])
		b.ReportMetric(2*turns.Median(speedups), s.name+"-speedup")
		b.ReportMetric(turns.Spread(speedups), s.name+"-±%")
	}
}

// BenchmarkOverlap is how much of the time that gradients are under way is hidden
// behind the backward pass, by the size of buckets.
func BenchmarkOverlap(b *testing.B) {
	needPyTorch(b)
	for _, mb := range []int{1, 5, 25, 100} {
		b.Run(fmt.Sprintf("%dMB", mb), func(b *testing.B) {
			base := newTrainRunOf(b, 1, 8, 2, 224)
			base.Threads, base.Bucket = 1, mb<<20
			ranks := newTeam(b, startOurs, true, base, base)
			for range trainWarm {
				ranks.step(b)
			}
			var took, busy, hidden []float64
			for b.Loop() {
				for range trainTurns {
					_, seconds := ranks.step(b)
					r := ranks[0].last.Reduce
					took, busy = append(took, seconds), append(busy, r.Busy.Seconds())
					hidden = append(hidden, 100*(1-r.Waited.Seconds()/r.Busy.Seconds()))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(turns.Median(took), "step-s")
			b.ReportMetric(turns.Median(busy), "reduce-s")
			b.ReportMetric(turns.Median(hidden), "hidden-%")
			b.ReportMetric(float64(ranks[0].last.Reduce.Buckets), "buckets")
		})
	}
}

// stop ends the process and waits for it.
func (s *stepper) stop(b testing.TB) {
	b.Helper()
	s.in.Close()
	if err := s.cmd.Wait(); err != nil {
		b.Fatal(err)
	}
}

// command is a program and its arguments, behind what runs it.
func command(wrap []string, args ...string) *exec.Cmd {
	args = append(append([]string(nil), wrap...), args...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = os.Environ()
	return cmd
}
