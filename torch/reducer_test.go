package torch_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// A learner is a network without batch norm whose loss is summed over clips, so
// that parts of a batch add up to the whole.
type learner struct {
	leaves []torch.Tensor // filters, filters, matrix, bias, one that nothing uses, one for some passes
}

// clips of a batch, and what those with batch norm off have for pictures.
const clips = 8

func newLearner(s *torch.Scope, d torch.DType) *learner {
	l := &learner{}
	for i, shape := range [][]int{{8, 3, 3, 3}, {16, 8, 3, 3}, {16, 5}, {5}, {7, 9}, {5}} {
		t := s.To(s.From(wave(float64(i+1), 0.3, shape...)), d)
		if i == 1 {
			t = s.Call("aten::contiguous", t, 2) // channels last
		}
		s.RequireGrad(t)
		l.leaves = append(l.leaves, t)
	}
	return l
}

// wave is an array of numbers up to size.
func wave(phase, size float64, shape ...int) *tensor.Dense {
	d := tensor.New(tensor.Float32, shape...)
	for i := range d.Float32s() {
		d.Float32s()[i] = float32(size * math.Sin(phase+1.7*float64(i)*(1+phase/10)))
	}
	return d
}

// backward runs clips from (inclusive) to (exclusive); extra uses the last leaf.
func (l *learner) backward(s *torch.Scope, from, to int, extra bool) {
	if from == to {
		return
	}
	s.WithGrad(func() {
		x := s.Call("aten::slice.Tensor", s.To(s.From(wave(9, 1, clips, 3, 9, 7)), s.DType(l.leaves[0])), 0, from, to, 1)
		x = s.Call("aten::relu", s.Call("aten::conv2d", x, l.leaves[0], nil, []int{1, 1}, []int{1, 1}, []int{1, 1}, 1))
		x = s.Call("aten::relu", s.Call("aten::conv2d", x, l.leaves[1], nil, []int{2, 2}, []int{1, 1}, []int{1, 1}, 1))
		x = s.Call("aten::mean.dim", x, []int{2, 3}, false, nil)
		x = s.Call("aten::addmm", l.leaves[3], x, l.leaves[2], 1, 1)
		if extra {
			x = s.Call("aten::mul.Tensor", x, l.leaves[5])
		}
		logp := s.Call("aten::log_softmax.int", x, 1, nil)
		s.Backward(s.Call("aten::sum", s.Call("aten::slice.Tensor", logp, 1, 0, 1, 1), nil))
	})
}

func (l *learner) gradients(s *torch.Scope) [][]float32 {
	out := make([][]float32, len(l.leaves))
	for i, g := range s.Grads(l.leaves) {
		if !g.None() {
			out[i] = s.Float32s(g)
		}
	}
	s.DropGrads(l.leaves)
	return out
}

// whole is one process's gradients of the mean over clips from to to, in float32.
func whole(s *torch.Scope, d torch.DType, to int, extra bool) [][]float32 {
	l := newLearner(s, d)
	l.backward(s, 0, to, extra)
	grads := l.gradients(s)
	for _, g := range grads {
		for i := range g {
			g[i] /= float32(to)
		}
	}
	return grads
}

// A reduction is one update of all ranks. Parts say, for each micro-batch and
// rank, where the rank's clips begin; the next rank's beginning is their end.
type reduction struct {
	name  string
	parts func(size int) [][]int
	dtype torch.DType
	tol   float64 // of the largest gradient
	extra bool
	many  bool // is for more than one rank
}

// shares splits clips from to to evenly.
func shares(size, from, to int) (begins []int) {
	for r := range size + 1 {
		begins = append(begins, from+(to-from)*r/size)
	}
	return begins
}

var reductions = []reduction{
	// In float32 the order of sums is all that differs.
	{name: "even", parts: func(n int) [][]int { return [][]int{shares(n, 0, clips)} }, tol: 1e-5},
	{name: "all leaves", parts: func(n int) [][]int { return [][]int{shares(n, 0, clips)} }, tol: 1e-5, extra: true},
	{name: "rank 0 has none", parts: func(n int) [][]int { return [][]int{append([]int{0}, shares(n-1, 0, clips)...)} }, tol: 1e-5, many: true},
	{name: "the last has none", parts: func(n int) [][]int { return [][]int{append(shares(n-1, 0, clips), clips)} }, tol: 1e-5, many: true},
	{name: "accumulated", parts: func(n int) [][]int { return [][]int{shares(n, 0, 3), shares(n, 3, clips)} }, tol: 1e-5},
	{name: "accumulated, rank 0 none at last", parts: func(n int) [][]int {
		return [][]int{shares(n, 0, 4), append([]int{4}, shares(n-1, 4, clips)...)}
	}, tol: 1e-5, many: true},
	{name: "one has all", parts: func(n int) [][]int { return [][]int{append(make([]int, n), clips)} }, tol: 1e-5},
	// In bfloat16 each rank's gradients are rounded to 8 bits.
	{name: "float64", parts: func(n int) [][]int { return [][]int{shares(n, 0, clips)} }, dtype: torch.Float64, tol: 1e-7}, // compared as float32
	{name: "bfloat16", parts: func(n int) [][]int { return [][]int{shares(n, 0, clips)} }, dtype: torch.BFloat16, tol: 0.02},
}

// reduce runs an update and returns the gradients.
func (m *member) reduce(s *torch.Scope, r *torch.Reducer, l *learner, c reduction) [][]float32 {
	parts := c.parts(m.size)
	n := 0
	for i, begins := range parts {
		from, to := begins[m.rank], begins[m.rank+1]
		if i == len(parts)-1 {
			r.Begin(s, "gradients of "+c.name)
		}
		l.backward(s, from, to, c.extra)
		n += to - from
	}
	if total := r.Finish(s, float64(n)); total != clips && s.Err() == nil {
		m.Errorf("%s: %v clips in all, want %d", c.name, total, clips)
	}
	return l.gradients(s)
}

func TestReducedGradients(t *testing.T) {
	for _, size := range []int{1, 2, 4} {
		processes(t, size, time.Minute, func(m *member) {
			for _, c := range reductions {
				if c.many && m.size == 1 {
					continue
				}
				m.do(func(s *torch.Scope) {
					if c.dtype == 0 {
						c.dtype = torch.Float32
					}
					want := whole(s, c.dtype, clips, c.extra)
					l := newLearner(s, c.dtype)
					r := torch.NewReducer(s, m.group, l.leaves, torch.ReducerOptions{BucketBytes: 2000, FirstBytes: 300})
					defer r.Close()
					for range 2 { // the second time as the first
						sameGradients(m, c, m.reduce(s, r, l, c), want)
					}
				})
			}
		})
	}
}

func sameGradients(m *member, c reduction, got, want [][]float32) {
	m.Helper()
	for leaf := range want {
		if (got[leaf] == nil) != (want[leaf] == nil) {
			m.Errorf("rank %d of %d: %s: leaf %d has a gradient: %v, of one process: %v", m.rank, m.size, c.name, leaf, got[leaf] != nil, want[leaf] != nil)
			continue
		}
		if d, i := furthest(got[leaf], want[leaf]); d > c.tol*largest(want[leaf]) {
			m.Errorf("rank %d of %d: %s: leaf %d: element %d is %v, of one process %v", m.rank, m.size, c.name, leaf, i, got[leaf][i], want[leaf][i])
		}
	}
}

func furthest(a, b []float32) (most float64, at int) {
	for i := range a {
		if d := math.Abs(float64(a[i] - b[i])); d > most || math.IsNaN(d) {
			most, at = d, i
		}
	}
	return most, at
}

func largest(v []float32) (most float64) {
	for _, x := range v {
		most = max(most, math.Abs(float64(x)))
	}
	return most
}

// All ranks have the same bits; with two, whose sums have one order, any
// buckets give them.
func TestReducedGradientsOfAnyBuckets(t *testing.T) {
	processes(t, 2, time.Minute, func(m *member) {
		var first string
		for _, o := range []torch.ReducerOptions{{}, {BucketBytes: 1}, {BucketBytes: 500}, {BucketBytes: 5000, FirstBytes: 1}, {FirstBytes: 1 << 30}} {
			m.do(func(s *torch.Scope) {
				l := newLearner(s, torch.Float32)
				r := torch.NewReducer(s, m.group, l.leaves, o)
				defer r.Close()
				grads := m.reduce(s, r, l, reductions[1])
				bits := digest(grads)
				if first == "" {
					first = bits
				} else if bits != first {
					m.Errorf("rank %d: buckets %+v give other bits", m.rank, o)
				}
				m.times(r, o)
			})
		}
		all, err := m.group.Gather(m.Context(), "digests", []byte(first))
		if err != nil || string(all[0]) != string(all[1]) {
			m.Errorf("ranks have other gradients (%v)", err)
		}
	})
}

// times checks what was counted for one update.
func (m *member) times(r *torch.Reducer, o torch.ReducerOptions) {
	const elements = 8*3*9 + 16*8*9 + 16*5 + 5 + 7*9 + 5
	got := r.Times()
	if got.Bytes != 4*elements || got.Busy <= 0 || got.Waited <= 0 {
		m.Errorf("rank %d: %+v: times are %+v", m.rank, o, got)
	}
	want := map[int]int{1: 6, 0: 1}[o.BucketBytes]
	if want != 0 && got.Buckets != want {
		m.Errorf("rank %d: %+v: %d buckets, want %d", m.rank, o, got.Buckets, want)
	}
	if again := r.Times(); again != (torch.ReduceTimes{}) {
		m.Errorf("rank %d: times are not forgotten: %+v", m.rank, again)
	}
}

func digest(grads [][]float32) string {
	h := sha256.New()
	for _, g := range grads {
		binary.Write(h, binary.LittleEndian, g)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// What only one rank uses; nothing at all; passes that are none of the
// reducer's; leaves after it.
func TestReducerEdges(t *testing.T) {
	processes(t, 2, time.Minute, func(m *member) {
		m.do(func(s *torch.Scope) {
			l := newLearner(s, torch.Float32)
			r := torch.NewReducer(s, m.group, l.leaves, torch.ReducerOptions{BucketBytes: 1000})
			r.Begin(s, "one rank's leaf")
			l.backward(s, 0, 4, m.rank == 1)
			r.Finish(s, 4)
			if g := l.gradients(s); g[5] == nil || largest(g[5]) == 0 || g[4] != nil {
				m.Errorf("rank %d: a leaf that rank 1 uses: %v, and one that nobody uses: %v", m.rank, g[5], g[4])
			}
			if total := r.Finish(s, 0); total != 0 {
				m.Errorf("rank %d: no clips are %v", m.rank, total)
			}
			for leaf, g := range l.gradients(s) {
				if g != nil {
					m.Errorf("rank %d: leaf %d has a gradient of no clips", m.rank, leaf)
				}
			}
			l.backward(s, 0, 4+m.rank, false) // without Begin: this rank's own
			own := l.gradients(s)
			r.Close()
			r.Close()
			l.backward(s, 0, 4+m.rank, false)
			if d, i := furthest(l.gradients(s)[0], own[0]); d > 0 {
				m.Errorf("rank %d: after Close element %d differs", m.rank, i)
			}
		})
		err := m.session.Do(m.Context(), func(s *torch.Scope) error {
			l := newLearner(s, torch.Float32)
			r := torch.NewReducer(s, m.group, l.leaves, torch.ReducerOptions{})
			r.Close()
			r.Finish(s, 1)
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "closed") {
			m.Errorf("rank %d: a closed reducer: %v", m.rank, err)
		}
	})
}

// Ranks that run a second backward pass after Begin are told.
func TestSecondBackward(t *testing.T) {
	processes(t, 2, 5*time.Second, func(m *member) {
		err := m.session.Do(m.Context(), func(s *torch.Scope) error {
			l := newLearner(s, torch.Float32)
			r := torch.NewReducer(s, m.group, l.leaves, torch.ReducerOptions{})
			defer r.Close()
			r.Begin(s, "step")
			l.backward(s, 0, 4, true)
			l.backward(s, 4, 8, true)
			r.Finish(s, 8)
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "second backward pass") {
			m.Errorf("rank %d: error is %v", m.rank, err)
		}
	})
}

// 100 updates a round, each with a reducer of its own: to keep the gradients and
// results of one would take 100 kB.
func TestReducersDoNotLeak(t *testing.T) {
	processes(t, 1, time.Minute, func(m *member) {
		grows(t, 6<<20, func() {
			for range 100 {
				m.do(func(s *torch.Scope) {
					l := newLearner(s, torch.Float32)
					r := torch.NewReducer(s, m.group, l.leaves, torch.ReducerOptions{})
					defer r.Close()
					m.reduce(s, r, l, reductions[0])
				})
				if err := m.group.Barrier(m.Context(), "update"); err != nil {
					m.Fatal(err)
				}
			}
		})
	})
}

func TestSharesAddUp(t *testing.T) {
	for _, n := range []int{2, 4} {
		for _, c := range reductions {
			var all []int
			for _, begins := range c.parts(n) {
				for r := range n {
					for i := begins[r]; i < begins[r+1]; i++ {
						all = append(all, i)
					}
				}
			}
			if !slices.Equal(all, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
				t.Errorf("%s, %d ranks: clips %v", c.name, n, all)
			}
		}
	}
}
