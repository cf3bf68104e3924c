package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// batches are the clips of each batch of an epoch.
func batches(t *testing.T, j *Job, epoch int) (all [][]int) {
	t.Helper()
	for b, err := range j.Loader.Epoch(t.Context(), epoch, 0) {
		if err != nil {
			t.Fatal(err)
		}
		samples := b.Samples
		for _, bad := range b.Bad {
			samples = append(samples, bad.Sample)
		}
		all = append(all, samples)
		b.Release()
	}
	return all
}

// Whole runs of ranks give the weights of one process whose batch is as large
// as theirs together, also where clips cannot be read: one of a rank's batch,
// all of a rank's, all of all ranks'.
func TestRunsOfRanksAreOneRun(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(true), newClips(m.T, 21)
		for _, tc := range []struct {
			name       string
			accumulate int
			synced     bool
			bad        func(first, second [][]int) []int // of the ranks' batches in epoch 0
		}{
			{"all clips", 1, false, nil},
			{"two batches an update", 2, false, nil},
			{"one clip", 1, false, func(_, b [][]int) []int { return b[1][:1] }},
			{"a rank's batch", 1, false, func(_, b [][]int) []int { return b[2] }},
			{"the batch of rank 0, synced", 1, true, func(a, _ [][]int) []int { return a[0] }},
			{"all of a batch, synced", 1, true, func(a, b [][]int) []int { return append(a[3], b[3]...) }},
		} {
			if tc.synced {
				n = newNormed()
			}
			alone := n.job(m.T, c, 0, 1)
			if tc.bad != nil {
				first, second := batches(m.T, n.job(m.T, c, 0, 2), 0), batches(m.T, n.job(m.T, c, 1, 2), 0)
				c.spoil(m.T, tc.bad(first, second)...)
			}
			alone.load(m.T, 2*jobBatch, 0, 1)
			alone.Accumulate = tc.accumulate
			if err := alone.Train(m.Context()); err != nil {
				m.Fatal(err)
			}
			j := m.job(n, c)
			j.Accumulate, j.SyncBN = tc.accumulate, tc.synced
			var said bytes.Buffer
			j.Log = NewLog(&said, 1)
			m.finish(j)
			if m.rank > 0 {
				continue
			}
			near(m.T, tc.name, learned(m.T, j), learned(m.T, alone), 1e-6)
			if d := distance(learned(m.T, j), n.w); d < 0.01 {
				m.Errorf("%s: weights moved by %v: nothing was learned", tc.name, d)
			}
			want := 0
			for i := range 21 {
				if _, err := os.Stat(filepath.Join(c.dir, fmt.Sprint(i))); err != nil {
					want++
				}
			}
			// Each is named once, on rank 0, whoever met it.
			if got := strings.Count(said.String(), "Skipped a clip"); got > want || tc.bad != nil && got == 0 {
				m.Errorf("%s: %d clips named, %d cannot be read:\n%s", tc.name, got, want, &said)
			}
		}
	})
}

// Clips are mixed within a rank's batch, and labels with them: a step is that of
// one process with all of these clips, also where ranks have unequal numbers.
func TestRanksMixLabels(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(true), newClips(m.T, 13)
		mixed := func(rank int) *Job {
			j := n.job(m.T, c, rank, 2)
			j.MaxIters, j.Epochs, j.Smoothing = 1, 1, 0.1
			j.loadMixed(m.T, 3, rank, 2, &dataset.Mix{MixupAlpha: 1})
			return j
		}
		c.spoil(m.T, batches(m.T, mixed(1), 0)[0][0])
		j := mixed(m.rank)
		j.Join = m.join
		m.finish(j)
		if m.rank > 0 {
			return
		}
		l, all := n.learner(m.T, startCPU(m.T, 1), n.w, j.Learner), 0
		for rank := range 2 {
			of := mixed(rank)
			for b, err := range of.Loader.Epoch(m.Context(), 0, 0) {
				if err != nil {
					m.Fatal(err)
				}
				clips := len(b.Labels)
				all += clips
				accumulate(m.T, l, MicroBatch{
					Views: b.Views, Share: float64(clips) / 5,
					Targets: Targets(Labels{A: b.Labels, B: b.Mixed, Lambda: b.Lambda}, tinyClasses, of.Smoothing),
				})
				break
			}
		}
		if update(m.T, l, 0.02); all != 5 {
			m.Errorf("%d clips, want 5", all)
		}
		near(m.T, "a step of mixed clips", learned(m.T, j), weights(m.T, l), 1e-6)
	})
}

// Too many clips that cannot be read, whoever met them, end all ranks.
func TestTooManyBadClipsOfAllRanks(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(true), newClips(m.T, 12)
		c.spoil(m.T, batches(m.T, n.job(m.T, c, 1, 2), 0)[1]...)
		j := m.job(n, c)
		j.MaxBad = 0.1
		if err := j.Train(m.Context()); err == nil || !strings.Contains(err.Error(), "2 of 12 clips cannot be read") {
			m.Errorf("error %v, want one about 2 of 12 clips", err)
		}
	})
}

// A loss that is no number on one rank ends all in the same step, and all say
// which clips it was.
func TestNotFiniteOnOneRank(t *testing.T) {
	processes(t, 2, func(m *member) {
		n := newTiny(true)
		c := newClips(m.T, 12)
		// Black is 0 and any other colour infinite.
		c.spec.Steps[3] = clip.Step{Normalize: &clip.Normalize{Std: [3]float32{1e-39, 1e-39, 1e-39}}}
		for i := range 12 {
			c.draw(m.T, i, func(int, int) uint8 { return 0 })
		}
		victim := batches(m.T, n.job(m.T, c, 1, 2), 0)[1][0]
		c.draw(m.T, victim, func(int, int) uint8 { return 255 })
		j := m.job(n, c)
		j.SaveEvery, j.Learner.DType = 1, torch.Float32
		var said bytes.Buffer
		j.Log = NewLog(&said, 1)
		err := j.Train(m.Context())
		if !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), fmt.Sprintf("/%d\n", victim)) {
			m.Fatalf("error %v, want ErrNotFinite with clip %d", err, victim)
		}
		if got := strings.Count(said.String(), "train step:"); got != 1 {
			m.Errorf("%d steps were done, want 1:\n%s", got, &said)
		}
		if m.rank == 0 && newest(m.T, j).State.Total != 1 {
			m.Errorf("saved after %d iterations, want 1", newest(m.T, j).State.Total)
		}
	})
}

// A watcher calls f with every line of a log.
type watcher func(line string)

func (w watcher) Write(p []byte) (int, error) { w(string(p)); return len(p), nil }

// When one rank is asked to stop all end behind the same update, rank 0 saves,
// and the run goes on as if nothing had been. Rank 1 forgets its seed and reads
// nothing: it has all from rank 0.
func TestCancelOneRank(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(false), newClips(m.T, 13)
		job := func(precise bool) *Job {
			j := m.job(n, c)
			j.Learner.DType, j.Learner.Rule = torch.Float32, optim.Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
			if precise {
				j.PreciseBN = &PreciseBN{Interval: 1, Batches: 2}
			}
			n.validation(m.T, c, j)
			return j
		}
		whole := map[bool]*Job{true: job(true), false: job(false)}
		m.finish(whole[true])
		m.finish(whole[false])
		for _, tc := range []struct {
			rank    int // the one that is asked
			stop    string
			at      int // iterations, or one later
			precise bool
		}{
			{1, `\[  1/2  \] train step:0 `, 1, true},
			{0, `\[  2/2  \] train step:0 `, 4, false},
			{1, `\[  1/2  \] train step:2 `, 3, true}, // the last of its epoch
			{0, "END epoch:1   train", 3, true},       // before precise batch norm
			{1, "END epoch:1   train", 3, false},      // before validation
			{1, "END epoch:1   val", 3, true},
		} {
			ctx, cancel := context.WithCancel(m.Context())
			pattern := regexp.MustCompile(tc.stop)
			j := job(tc.precise)
			j.Log = NewLog(watcher(func(line string) {
				if m.rank == tc.rank && pattern.MatchString(line) {
					cancel()
				}
			}), 1)
			if err := j.Train(ctx); !errors.Is(err, ErrInterrupted) {
				m.Fatalf("%s on rank %d: error is %v", tc.stop, tc.rank, err)
			}
			cancel()
			next := job(tc.precise)
			next.Dir = j.Dir
			if m.rank == 0 {
				next.Resume = newest(m.T, j)
				if s := next.Resume.State; s.Total != tc.at && s.Total != tc.at+1 || s.World != 2 {
					m.Errorf("%s on rank %d: saved after %d iterations of %d processes, want %d", tc.stop, tc.rank, s.Total, s.World, tc.at)
				}
			} else {
				next.Seed = 77
				next.load(m.T, jobBatch, m.rank, m.size)
			}
			m.finish(next)
			if m.rank == 0 {
				same(m.T, tc.stop, learned(m.T, next), learned(m.T, whole[tc.precise]))
			}
		}
	})
}

// Rank 0 is asked to stop when a checkpoint is due, and the others do not know
// yet: it is written, and all end behind the next update.
func TestCancelRankBeforeItSaves(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(true), newClips(m.T, 13)
		j := m.job(n, c)
		j.SaveEvery = 1
		ctx, cancel := context.WithCancel(m.Context())
		defer cancel()
		j.Log = NewLog(watcher(func(line string) {
			if m.rank == 0 && strings.Contains(line, "train step:0 ") {
				cancel()
			}
		}), 1)
		if err := j.Train(ctx); !errors.Is(err, ErrInterrupted) {
			m.Fatalf("error is %v, want ErrInterrupted", err)
		}
		if m.rank == 0 && newest(m.T, j).State.Total != 2 {
			m.Errorf("saved after %d iterations, want 2", newest(m.T, j).State.Total)
		}
	})
}

// A checkpoint that rank 0 cannot write ends all ranks, with the reason.
func TestRankThatCannotSave(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(true), newClips(m.T, 13)
		j := m.job(n, c)
		j.SaveEvery = 2
		if m.rank == 0 {
			j.Dir = filepath.Join(c.dir, "list") // a file
		}
		err := j.Train(m.Context())
		if err == nil || !strings.Contains(err.Error(), "not a directory") || m.rank > 0 && !strings.Contains(err.Error(), "rank 0: checkpoint") {
			m.Errorf("rank %d: error is %v, want that of rank 0's checkpoint", m.rank, err)
		}
	})
}

// The figures of validation are those of one process with the same weights,
// whatever the length of the list; a clip that cannot be read counts once.
func TestValidationOfRanks(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(false), newClips(m.T, 13)
		j := m.job(n, c)
		j.Epochs = 1
		n.validation(m.T, c, j)
		c.spoil(m.T, 3)
		var said bytes.Buffer
		j.Log = NewLog(&said, 1)
		m.finish(j)
		if m.rank > 0 {
			return
		}
		saved := learned(m.T, j)
		alone := n.job(m.T, c, 0, 1)
		n.validation(m.T, c, alone)
		var want bytes.Buffer
		alone.Log = NewLog(&want, 1)
		session := startCPU(m.T, 1)
		l, err := NewLearner(m.Context(), session, alone.Network, saved, alone.Learner)
		if err != nil {
			m.Fatal(err)
		}
		defer l.Close()
		r := &run{Job: alone, learner: l, named: map[int]bool{}, wrong: map[int]bool{}}
		if _, err := r.validate(m.Context(), 1); err != nil {
			m.Fatal(err)
		}
		figures := regexp.MustCompile(`val loss_avg.*top5_avg: [0-9.]*`)
		if got, want := figures.FindString(said.String()), figures.FindString(want.String()); got == "" || got != want {
			m.Errorf("%q, one process %q", got, want)
		}
	})
}

// Precise statistics are the averages over the batches of all ranks.
func TestPreciseStatisticsOfRanks(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(false), newClips(m.T, 13)
		j := m.job(n, c)
		j.Epochs, j.PreciseBN = 1, &PreciseBN{Interval: 1, Batches: 2}
		m.finish(j)
		if m.rank > 0 {
			return
		}
		saved := learned(m.T, j)
		l := n.learner(m.T, startCPU(m.T, 1), saved, LearnerOptions{DType: torch.Float64})
		var p preciseBN
		for rank := range 2 {
			of := n.job(m.T, c, rank, 2)
			for b, err := range of.Loader.Epoch(m.Context(), 0, 0) {
				if err == nil && b.Index < 2 {
					err = p.observe(m.Context(), l, b.Views, 1)
				}
				if err != nil {
					m.Fatal(err)
				}
			}
		}
		if err := p.settle(m.Context(), l); err != nil {
			m.Fatal(err)
		}
		near(m.T, "statistics", saved, weights(m.T, l), 1e-5) // the weights were rounded to float32
	})
}

// With another number of processes a run goes on with the clips of the epoch
// that it has not seen, but for less than a global batch.
func TestResumeInAnotherWorld(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(true), newClips(m.T, 13)
		// One process has done 3 of 6 batches of two: two ranks begin at their
		// second of 3, with clips 4 and 5 of the order once more.
		alone := n.job(m.T, c, 0, 1)
		alone.Epochs = 1
		interrupt(m.T, alone, 3)
		j := m.job(n, c)
		j.Epochs = 1
		if m.rank == 0 {
			j.Dir, j.Resume = alone.Dir, newest(m.T, alone)
			if j.Resume.State.Iterations != 3 {
				m.Fatalf("%+v", j.Resume.State)
			}
		}
		m.finish(j)
		if m.rank > 0 {
			return
		}
		l := n.learner(m.T, startCPU(m.T, 1), n.w, alone.Learner)
		order := slices.Concat(batches(m.T, alone, 0)...)
		for _, samples := range [][]int{order[:2], order[2:4], order[4:6], order[4:8], order[8:12]} {
			b := n.clipsOf(m.T, alone, samples)
			accumulate(m.T, l, b)
			update(m.T, l, 0.02)
		}
		near(m.T, "two ranks after one", learned(m.T, j), weights(m.T, l), 1e-5) // a checkpoint is float32
		if s := newest(m.T, j).State; s.Total != 3 || s.Batches != 3 || s.World != 2 {
			m.Errorf("%+v", s)
		}
	})
}

// interrupt stops a run after some iterations.
func interrupt(t *testing.T, j *Job, iterations int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := fmt.Sprintf("train step:%d ", iterations-1)
	j.Log = NewLog(watcher(func(line string) {
		if strings.Contains(line, stop) {
			cancel()
		}
	}), 1)
	if err := j.Train(ctx); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
}

// clipsOf is a batch of samples as an epoch's first batches have them.
func (n *tiny) clipsOf(t *testing.T, j *Job, samples []int) MicroBatch {
	t.Helper()
	var views []float32
	var labels []int
	for _, i := range samples {
		c, err := j.Data.Load(t.Context(), i, dataset.SampleRand(j.Seed, 0, i))
		if err != nil {
			t.Fatal(err)
		}
		views = append(views, c.Views(nil, 0, c.Len())...)
		labels = append(labels, j.Data.Sample(i).Label)
	}
	return MicroBatch{
		Views:   tensor.FromFloat32(views, len(samples), tinyViews, 3, tinySide, tinySide),
		Targets: Targets(Labels{A: labels}, tinyClasses, j.Smoothing),
	}
}

// Ranks that were started differently say so instead of waiting for each other.
func TestRanksOfDifferentRuns(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(true), newClips(m.T, 13)
		for _, tc := range []struct {
			what   string
			change func(j *Job)
		}{
			{"epochs", func(j *Job) { j.Epochs++ }},
			{"the training list", func(j *Job) { j.Run.List = "other" }},
			{"OPTIMIZER", func(j *Job) { j.Run.Settings = map[string]string{"OPTIMIZER": "Adam"} }},
			{"the length of the validation list", func(j *Job) { n.validation(m.T, c, j) }},
			{"the batches of an update", func(j *Job) { j.Accumulate = 2 }},
		} {
			j := m.job(n, c)
			j.Run.Settings = map[string]string{"OPTIMIZER": "Momentum"}
			if m.rank == 1 {
				tc.change(j)
			}
			if err := j.Train(m.Context()); err == nil || !strings.Contains(err.Error(), "train: "+tc.what) || !strings.Contains(err.Error(), "on rank 1") {
				m.Errorf("%s: error is %v", tc.what, err)
			}
		}
		alone := n.job(m.T, c, 1, 2)
		if err := alone.Train(m.Context()); err == nil || !strings.Contains(err.Error(), "rank 0 of 1 with the clips of rank 1 of 2") {
			m.Errorf("a loader of another rank: error is %v", err)
		}
	})
}
