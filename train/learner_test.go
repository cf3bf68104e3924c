package train

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// modes are the ways to compute that every device has.
var modes = map[string]AMP{
	"float32":     {},
	"bfloat16 O1": {Level: O1, DType: torch.BFloat16},
	"bfloat16 O2": {Level: O2, DType: torch.BFloat16},
}

// Without batch norm the gradients of four clips are those of one and three.
func TestAccumulateIsOneLargeBatch(t *testing.T) {
	n, session := newTiny(true), startSmall(t)
	whole := n.batch(1, 4)
	part := func(from, to int) MicroBatch {
		cut := func(d *tensor.Dense) *tensor.Dense {
			size := len(d.Data) / 4
			shape := slices.Clone(d.Shape)
			shape[0] = to - from
			return &tensor.Dense{Type: d.Type, Shape: shape, Data: d.Data[from*size : to*size]}
		}
		return MicroBatch{Views: cut(whole.Views), Targets: cut(whole.Targets), Share: float64(to-from) / 4}
	}
	one := n.learner(t, session, n.w, LearnerOptions{DType: torch.Float64})
	several := n.learner(t, session, n.w, LearnerOptions{DType: torch.Float64})
	loss := 0.0
	for range 3 {
		want := teach(t, one, 0.1, whole)[0]
		loss = 0
		for _, b := range []MicroBatch{part(0, 1), part(1, 4)} {
			out, err := several.Accumulate(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			loss += out.Loss * b.Share
		}
		if _, err := several.Update(t.Context(), 0.1); err != nil {
			t.Fatal(err)
		}
		if math.Abs(loss-want) > 1e-6*want {
			t.Errorf("loss is %v in parts, %v as a whole", loss, want)
		}
	}
	got := weights(t, several)
	for name, d := range weights(t, one) {
		if err := graphtest.Compare(got[name], d, 1e-7); err != nil { // as float32
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A loss that is no number changes neither weights nor running statistics nor
// what was accumulated before it.
func TestNotFiniteLossChangesNothing(t *testing.T) {
	n, session := newTiny(false), startCPU(t, 1)
	l := n.learner(t, session, n.w, LearnerOptions{})
	teach(t, l, 0.1, n.batch(1, 3))
	before := weights(t, l)
	for _, poison := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		bad := n.batch(2, 3)
		bad.Views.Float32s()[100] = poison
		if _, err := l.Accumulate(t.Context(), bad); !errors.Is(err, ErrNotFinite) {
			t.Fatalf("error is %v, want ErrNotFinite", err)
		}
		if updated, err := l.Update(t.Context(), 0.1); updated || err != nil {
			t.Errorf("updated %v with nothing to update with (%v)", updated, err)
		}
		same(t, "after a loss that is not finite", weights(t, l), before)
	}
	other := n.learner(t, session, n.w, LearnerOptions{})
	teach(t, other, 0.1, n.batch(1, 3), n.batch(3, 3))
	if _, err := l.Accumulate(t.Context(), n.batch(3, 3)); err != nil {
		t.Fatal(err)
	}
	bad := n.batch(2, 3)
	bad.Views.Float32s()[100] = float32(math.NaN())
	if _, err := l.Accumulate(t.Context(), bad); !errors.Is(err, ErrNotFinite) {
		t.Fatal(err)
	}
	if _, err := l.Update(t.Context(), 0.1); err != nil {
		t.Fatal(err)
	}
	same(t, "a good batch, then a bad one", weights(t, l), weights(t, other))
}

// Two runs are the same in every bit, whatever the number of threads; runs
// with other numbers of threads need not be.
func TestRunsAreReproducible(t *testing.T) {
	n := newTiny(false)
	for name, amp := range modes {
		for _, threads := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/%d threads", name, threads), func(t *testing.T) {
				run := func() graph.Weights {
					session := startCPU(t, threads)
					l := n.learner(t, session, n.w, LearnerOptions{AMP: amp})
					for i := range uint64(5) {
						teach(t, l, 0.05, n.batch(i, 6))
					}
					return weights(t, l)
				}
				first := run()
				same(t, "second run", run(), first)
				if slices.Equal(first["fc.weight"].Data, n.w["fc.weight"].Data) {
					t.Error("nothing was learned")
				}
			})
		}
	}
}

// startCPU opens a session on the CPU, where equal runs are equal in every bit.
func startCPU(t *testing.T, threads int) *torch.Session {
	t.Helper()
	return startOn(t, torch.CPU, threads)
}

// startSmall opens a session on the tests' device for networks too small to
// share among threads.
func startSmall(t *testing.T) *torch.Session {
	t.Helper()
	return startOn(t, start(t).Device(), 1)
}

func startOn(t *testing.T, d torch.Device, threads int) *torch.Session {
	t.Helper()
	start(t) // skips without libtorch
	s, err := torch.NewSession(torch.SessionOptions{Device: d, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Weights and the optimiser's state are all that a run needs to go on: with
// them a new learner, or one that has learned other things, does what the old
// one would have done.
func TestRestoredLearnerGoesOn(t *testing.T) {
	n := newTiny(false)
	for name, amp := range modes {
		t.Run(name, func(t *testing.T) {
			session := startCPU(t, 1)
			o := LearnerOptions{AMP: amp}
			l := n.learner(t, session, n.w, o)
			teach(t, l, 0.05, n.batch(1, 4), n.batch(2, 4))
			saved := weights(t, l)
			slots, err := l.Optimizer().State(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			find := func(param, slot string) (*tensor.Dense, error) {
				for _, s := range slots {
					if s.Param == param && s.Name == slot {
						return s.Tensor, nil
					}
				}
				return nil, nil
			}
			fresh, used := n.learner(t, session, saved, o), n.learner(t, session, n.w, o)
			teach(t, used, 0.5, n.batch(9, 4))
			if err := used.SetWeights(t.Context(), saved); err != nil {
				t.Fatal(err)
			}
			for _, l := range []*Learner{fresh, used} {
				if err := l.Optimizer().SetState(t.Context(), 2, find); err != nil {
					t.Fatal(err)
				}
			}
			next := []MicroBatch{n.batch(3, 4), n.batch(4, 4)}
			want := teach(t, l, 0.05, next...)
			for what, other := range map[string]*Learner{"new learner": fresh, "used learner": used} {
				if got := teach(t, other, 0.05, next...); !slices.Equal(got, want) {
					t.Errorf("%s: losses %v, want %v", what, got, want)
				}
				same(t, what, weights(t, other), weights(t, l))
			}
		})
	}
}

// With 16 bits a network learns about as it does with 32.
func TestMixedPrecisionLearns(t *testing.T) {
	n, session := newTiny(false), startSmall(t)
	var batches []MicroBatch
	for i := range uint64(40) {
		batches = append(batches, n.batch(i, 16))
	}
	tail := func(losses []float64) (sum float64) {
		for _, v := range losses[len(losses)-8:] {
			sum += v / 8
		}
		return sum
	}
	want := teach(t, n.learner(t, session, n.w, LearnerOptions{}), 0.02, batches...)
	if tail(want) > 0.7*want[0] {
		t.Fatalf("float32 does not learn: from %v to %v", want[0], tail(want))
	}
	all := maps.Clone(modes)
	if session.Device().CUDA {
		all["float16 O1"], all["float16 O2"] = AMP{Level: O1, DType: torch.Float16}, AMP{Level: O2, DType: torch.Float16}
	}
	for name, amp := range all {
		got := teach(t, n.learner(t, session, n.w, LearnerOptions{AMP: amp}), 0.02, batches...)
		if math.Abs(got[0]-want[0]) > 0.02*want[0] {
			t.Errorf("%s: first loss is %v, float32's %v", name, got[0], want[0])
		}
		if math.Abs(tail(got)-tail(want)) > 0.15*tail(want) {
			t.Errorf("%s: last losses are %v, float32's %v", name, tail(got), tail(want))
		}
		t.Logf("%s: loss from %.3f to %.3f", name, got[0], tail(got))
	}
}

// At level O2 the float32 weights keep changes too small for bfloat16, and the
// copies that are computed with follow them.
func TestMasterWeightsKeepSmallChanges(t *testing.T) {
	n, session := newTiny(false), startSmall(t)
	l := n.learner(t, session, n.w, LearnerOptions{AMP: modes["bfloat16 O2"]})
	before := weights(t, l)
	teach(t, l, 1e-6, n.batch(1, 4))
	after := weights(t, l)
	moved := 0
	v := before["stem.filter"].Float32s()
	for i, x := range after["stem.filter"].Float32s() {
		if x != v[i] {
			moved++
		}
	}
	if moved < len(v)/2 {
		t.Errorf("%d of %d weights moved", moved, len(v))
	}
	err := session.Do(t.Context(), func(s *torch.Scope) error {
		for name, copied := range l.half.byName {
			if s.DType(copied) != torch.BFloat16 {
				t.Errorf("the copy of %s is %s", name, s.DType(copied))
			}
			want := s.Dense(s.To(l.net.Param(name), torch.BFloat16), tensor.BFloat16)
			if got := s.Dense(copied, tensor.BFloat16); s.Err() == nil && !slices.Equal(got.Data, want.Data) {
				t.Errorf("the copy of %s is not the weight rounded", name)
			}
			if s.DType(l.net.Param(name)) != torch.Float32 {
				t.Errorf("%s itself is %s", name, s.DType(l.net.Param(name)))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.half.byName) != 5 { // four filters and the classifier's matrix
		t.Errorf("%d weights have copies, want 5", len(l.half.byName))
	}
}

func TestMixedPrecisionRefused(t *testing.T) {
	for _, tc := range []struct {
		amp  AMP
		d    torch.Device
		want string // "" if it can be done
	}{
		{AMP{}, torch.CPU, ""},
		{AMP{Level: O1, DType: torch.BFloat16}, torch.CPU, ""},
		{AMP{Level: O2, DType: torch.Float16}, torch.CUDA(0), ""},
		{AMP{Level: "O3", DType: torch.BFloat16}, torch.CPU, `"O3"`},
		{AMP{Level: O1, DType: torch.Float32}, torch.CPU, "float32"},
		{AMP{Level: O1, DType: torch.Float16}, torch.CPU, "--amp_dtype bfloat16"},
	} {
		err := tc.amp.check(tc.d)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v on %s: error is %v, want %q", tc.amp, tc.d, err, tc.want)
		}
	}
}

func TestUnknownParameter(t *testing.T) {
	n, session := newTiny(true), startSmall(t)
	n.rules[0].Name = "nobody"
	_, err := NewLearner(t.Context(), session, &tsn.Network{Graph: n.Graph}, n.w, LearnerOptions{Params: n.rules})
	if err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("error is %v, want one that names the parameter", err)
	}
}

// Many steps of each kind do not take more memory than some.
func TestTrainingDoesNotLeak(t *testing.T) {
	n, session := newTiny(false), startSmall(t)
	b := n.batch(1, 2)
	for name, amp := range modes {
		l := n.learner(t, session, n.w, LearnerOptions{AMP: amp})
		run := func() {
			for range 20 { // all results of a pass are some 0.7 MB
				teach(t, l, 0.01, b)
				if _, err := l.Accumulate(t.Context(), b); err != nil { // forgotten with the next
					t.Fatal(err)
				}
			}
		}
		run()
		run()
		before := resident(t)
		run()
		run()
		if after := resident(t); after-before > 6<<20 {
			t.Errorf("%s: memory grew from %d to %d KiB", name, before>>10, after>>10)
		} else {
			t.Logf("%s: memory grew by %d KiB", name, (after-before)>>10)
		}
	}
}

// resident is the process's memory in use, in bytes.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	var kB int
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		t.Fatal(err)
	}
	return kB << 10
}
