package train

import (
	"maps"
	"math"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/torch"
)

// A part is how many clips of a micro-batch each rank has.
type part []int

func (p part) of(rank int) (from, to int) {
	for _, n := range p[:rank] {
		from += n
	}
	return from, from + p[rank]
}

func (p part) all() (n int) {
	for _, k := range p {
		n += k
	}
	return n
}

// A precision is a way to compute, and how far results in it may be apart. All
// ranks take them in the same order.
type precision struct {
	name      string
	o         LearnerOptions
	tolerance float64
}

// Without batch norm ranks learn what one process learns from all their clips
// in one batch: with momentum, decay, clipping, smoothing and accumulation, and
// also where ranks have fewer clips than others, or none.
func testRanksAreOneBatch(m *member, updates [][]part) {
	n := newTiny(true)
	for _, mode := range []precision{
		{"float64", LearnerOptions{DType: torch.Float64}, 1e-7}, // compared as float32
		// Sums over a batch are rounded elsewhere than sums over its parts.
		{"float32", LearnerOptions{}, 2e-5},
		// Features have 8 binary digits, and so do the parts' gradients before
		// they are summed.
		{"bfloat16 O1", LearnerOptions{AMP: modes["bfloat16 O1"]}, 2e-2},
		{"bfloat16 O2", LearnerOptions{AMP: modes["bfloat16 O2"]}, 2e-2},
	} {
		mode.o.Optimizer = optim.Options{ClipNorm: 0.5}
		o := mode.o
		o.BucketBytes = 4096
		together := m.learner(n, o)
		alone := n.learner(m.T, startCPU(m.T, 1), n.w, mode.o)
		for step, micro := range updates {
			total := 0
			for _, p := range micro {
				total += p.all()
			}
			for i, p := range micro {
				b := n.batch(uint64(10*step+i), p.all())
				b.Share = float64(p.all()) / float64(total)
				accumulate(m.T, alone, b)
				from, to := p.of(m.rank)
				if b = b.cut(from, to); to > from {
					b.Share, b.Last = float64(to-from)/8, i == len(micro)-1
					accumulate(m.T, together, b)
				}
			}
			update(m.T, alone, 0.05)
			update(m.T, together, 0.05)
		}
		got, want := weights(m.T, together), weights(m.T, alone)
		near(m.T, mode.name, got, want, mode.tolerance)
		if d := distance(got, n.w); d < 0.01 {
			m.Errorf("%s: weights moved by %v: nothing was learned", mode.name, d)
		}
	}
}

// distance is the largest difference of any two weights.
func distance(a, b graph.Weights) (most float64) {
	for name, d := range a {
		for i, v := range d.Float32s() {
			most = max(most, math.Abs(float64(v-b[name].Float32s()[i])))
		}
	}
	return most
}

func TestTwoRanksAreOneBatch(t *testing.T) {
	processes(t, 2, func(m *member) {
		testRanksAreOneBatch(m, [][]part{{{4, 4}}, {{2, 2}, {2, 2}}, {{4, 3}}, {{0, 4}}, {{4, 0}, {1, 3}}, {{1, 1}, {3, 0}}})
	})
}

func TestFourRanksAreOneBatch(t *testing.T) {
	processes(t, 4, func(m *member) {
		testRanksAreOneBatch(m, [][]part{{{2, 2, 2, 2}}, {{1, 1, 1, 1}, {2, 2, 0, 1}}, {{0, 0, 1, 0}}})
	})
}

// A tiny network with batch norm, but without dropout, which is each rank's own.
func newNormed() *tiny { return newNormedOf(1) }

func newNormedOf(seed uint64) *tiny {
	n := newTinyOf(false, seed)
	for _, node := range n.Nodes {
		if _, ok := node.Op.(graph.Dropout); ok {
			node.Op = graph.Dropout{}
		}
	}
	return n
}

// With SyncBN batch norm is that of all clips: weights and running statistics
// are those of one process, also where a rank has no clips.
func TestSyncBatchNormIsOneBatch(t *testing.T) {
	processes(t, 2, func(m *member) {
		n := newNormed()
		for _, mode := range []precision{
			{"float64", LearnerOptions{DType: torch.Float64}, 1e-7},
			{"float32", LearnerOptions{}, 1e-3}, // gates of ReLU may flip, see inFloat32
			{"bfloat16 O1", LearnerOptions{AMP: modes["bfloat16 O1"]}, 0.1},
		} {
			o := mode.o
			o.SyncBN = true
			together, alone := m.learner(n, o), n.learner(m.T, startCPU(m.T, 1), n.w, mode.o)
			for step, p := range []part{{3, 3}, {4, 2}, {5, 0}, {2, 3}} {
				b := n.batch(uint64(step), p.all())
				accumulate(m.T, alone, b)
				from, to := p.of(m.rank)
				b = b.cut(from, to)
				b.Share, b.Last = float64(to-from)/4, true
				accumulate(m.T, together, b)
				update(m.T, alone, 0.05)
				update(m.T, together, 0.05)
			}
			near(m.T, mode.name, weights(m.T, together), weights(m.T, alone), mode.tolerance)
		}
	})
}

// Without SyncBN each rank normalises with its own clips. The same arithmetic by
// hand: a learner for each rank, whose gradients are averaged and applied here.
func TestOwnBatchNormOfEachRank(t *testing.T) {
	processes(t, 2, func(m *member) {
		n := newNormed()
		rule := optim.Momentum{Mu: 0.9}
		o := LearnerOptions{DType: torch.Float64, Rule: rule}
		together := m.learner(n, o)
		session := startCPU(m.T, 1)
		each := []*Learner{n.learner(m.T, session, n.w, o), n.learner(m.T, session, n.w, o)}
		velocity := map[string][]float64{}
		const lr, clips = 0.05, 3
		for step := range uint64(4) {
			whole := n.batch(step, 2*clips)
			mean := map[string][]float64{}
			for rank, l := range each {
				accumulate(m.T, l, whole.cut(rank*clips, (rank+1)*clips))
				for name, g := range gradients(m.T, l) {
					if mean[name] == nil {
						mean[name] = make([]float64, g.Len())
					}
					for i, v := range g.Float32s() {
						mean[name][i] += float64(v) / 2
					}
				}
				forget(m.T, l)
			}
			w := weights(m.T, each[0])
			for _, p := range n.rules {
				if velocity[p.Name] == nil {
					velocity[p.Name] = make([]float64, len(mean[p.Name]))
				}
				v := w[p.Name].Float32s()
				for i, g := range mean[p.Name] {
					velocity[p.Name][i] = 0.9*velocity[p.Name][i] + g + p.Decay*float64(v[i])
					v[i] = float32(float64(v[i]) - lr*p.LRMult*velocity[p.Name][i])
				}
			}
			for _, l := range each {
				learned := weights(m.T, l) // with running statistics of its own
				for _, p := range n.rules {
					learned[p.Name] = w[p.Name]
				}
				if err := l.SetWeights(m.Context(), learned); err != nil {
					m.Fatal(err)
				}
			}
			b := whole.cut(m.rank*clips, (m.rank+1)*clips)
			b.Last = true
			accumulate(m.T, together, b)
			update(m.T, together, lr)
		}
		// The other side's weights are rounded to float32 in every step.
		near(m.T, "rank's own statistics", weights(m.T, together), weights(m.T, each[m.rank]), 1e-5)
		if err := together.shareStatistics(m.Context()); err != nil {
			m.Fatal(err)
		}
		near(m.T, "statistics of rank 0", weights(m.T, together), weights(m.T, each[0]), 1e-5)
	})
}

// forget drops gradients.
func forget(t *testing.T, l *Learner) {
	t.Helper()
	l.weight = 0
	err := l.session.Do(t.Context(), func(s *torch.Scope) error { s.DropGrads(l.leaves()); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// Gradients that overflow on one rank are seen by all: all leave the update out
// and scale the loss less. Float16 needs a GPU; float32 overflows as well.
func TestScalersOfRanksAgree(t *testing.T) {
	processes(t, 2, func(m *member) {
		n := newTiny(true)
		l := m.learner(n, LearnerOptions{})
		l.scaler = NewScaler()
		step := func(scale float64) (updated bool) {
			b := n.batch(1, 2).cut(m.rank, m.rank+1)
			b.Last = true
			l.scaler.Scale = scale
			if scale == 8 && m.rank == 1 {
				l.scaler.Scale = 1 << 130 // of this rank's loss alone
			}
			accumulate(m.T, l, b)
			l.scaler.Scale = scale
			if err := l.Reduce(m.Context(), "a step"); err != nil {
				m.Fatal(err)
			}
			updated, err := l.Update(m.Context(), 0.1)
			if err != nil {
				m.Fatal(err)
			}
			return updated
		}
		if !step(16) || l.scaler.Scale != 16 || l.scaler.Good != 1 {
			m.Errorf("after a good step: %+v", l.scaler)
		}
		before := maps.Clone(weights(m.T, l))
		if step(8) || l.scaler.Scale != 4 || l.scaler.Good != 0 {
			m.Errorf("after an overflow on rank 1: %+v", l.scaler)
		}
		same(m.T, "after an overflow on rank 1", weights(m.T, l), before)
	})
}
