package train

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/torch"
)

// distillation is a job's with a network of each kind. Ranks above 0 have none
// of rank 0's weights.
func distillation(t *testing.T, clips int, peer, other *tiny, rank int) *Distillation {
	t.Helper()
	d := &Distillation{
		Terms: []distill.Term{
			ce("Student", 0.1), ce("Teacher", 0), dml("Student", "Teacher", 1), kd("Frozen"), dml("Kept", "Student", 0.5),
		},
		Peers: []Peer{peer.peer("Teacher")}, Teachers: []Teacher{other.teacher("Frozen")}, Stored: []Stored{{Name: "Kept"}},
	}
	for i := range clips {
		v := make([]float32, tinyClasses)
		v[i%tinyClasses] = 3
		d.Stored[0].Scores = append(d.Stored[0].Scores, v)
	}
	if rank > 0 {
		d.Peers[0].Weights, d.Teachers[0].Weights = zeros(peer.w), zeros(other.w)
	}
	return d
}

func zeros(w graph.Weights) graph.Weights {
	z := graph.Weights{}
	for name, d := range w {
		z[name] = d.Clone()
		clear(z[name].Data)
	}
	return z
}

// A run that was interrupted within an epoch and went on gives the bits of one
// that was not, peers, their optimiser's state and statistics included.
func TestInterruptedDistillationGoesOn(t *testing.T) {
	c := newClips(t, 13)
	job := func(dir string) *Job {
		n := newTiny(false)
		j := n.job(t, c, 0, 1)
		j.Learner.DType, j.Dir, j.Accumulate = torch.Float32, dir, 2
		j.Distillation = distillation(t, 13, newTinyOf(false, 9), newTinyOf(false, 11), 0)
		j.PreciseBN = &PreciseBN{Interval: 1, Batches: 2}
		j.loadMixed(t, jobBatch, 0, 1, &dataset.Mix{MixupAlpha: 0.5})
		n.validation(t, c, j)
		return j
	}
	whole, parts := job(t.TempDir()), job(t.TempDir())
	if err := whole.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	interrupt(t, parts, 4)
	c1 := newest(t, parts)
	if c1.State.Iterations != 4 || len(c1.Peers) != 1 {
		t.Fatalf("interrupted at %+v with %d peers", c1.State, len(c1.Peers))
	}
	again := job(parts.Dir)
	again.Resume = c1
	if err := again.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{checkpoint.EpochName("tiny", 2), checkpoint.BestName("tiny")} {
		for _, file := range []string{".pdparams", ".pdopt", "_Teacher.pdparams", "_Teacher.pdopt"} {
			want, got := read(t, filepath.Join(whole.Dir, name+file)), read(t, filepath.Join(parts.Dir, name+file))
			if got != want {
				t.Errorf("%s: the bytes differ", name+file)
			}
		}
	}
	if got, want := newest(t, parts).State.Best, newest(t, whole).State.Best; got != want {
		t.Errorf("best is %v, want %v", got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(parts.Dir, "*_iter_*")); left != nil {
		t.Errorf("not pruned: %v", left)
	}
	if again.Distillation.Peers[0].Weights != nil || again.Distillation.Teachers[0].Weights != nil {
		t.Error("weights were kept that nothing needs")
	}
}

// A student's files are those of any run: plain names, no trace of others.
func TestStudentIsSavedAlone(t *testing.T) {
	n, peer, c := newTiny(false), newTinyOf(true, 9), newClips(t, 6)
	j := n.job(t, c, 0, 1)
	j.Epochs, j.Distillation = 1, distillation(t, 6, peer, newTinyOf(true, 11), 0)
	n.validation(t, c, j)
	if err := j.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{checkpoint.EpochName("tiny", 1), checkpoint.BestName("tiny")} {
		got, err := checkpoint.Open(filepath.Join(j.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []struct {
			name string
			n    *tiny
			checkpoint.Network
		}{{"the student", n, got.Network}, {"the peer", peer, got.Peers[0].Network}} {
			var names []string
			for _, e := range part.Params {
				names = append(names, e.Name)
			}
			var want []string
			for _, p := range part.n.Params {
				want = append(want, p.Name)
			}
			if !reflect.DeepEqual(names, want) || len(part.Optim) != len(part.n.rules) {
				t.Errorf("%s, %s: parameters %v, want %v; %d tensors of the optimiser, want %d", name, part.name, names, want, len(part.Optim), len(part.n.rules))
			}
			for _, e := range part.Optim {
				if strings.Contains(e.Name, "Teacher") {
					t.Errorf("%s, %s: the optimiser has %s", name, part.name, e.Name)
				}
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(j.Dir, "*Frozen*")); left != nil {
		t.Errorf("a frozen teacher was saved: %v", left)
	}
}

// A checkpoint of other networks than the job's is refused, and nothing is done.
func TestResumeWithOtherPeers(t *testing.T) {
	n, c := newTiny(true), newClips(t, 6)
	with := func(d *Distillation) *Job {
		j := n.job(t, c, 0, 1)
		j.Epochs, j.Distillation = 1, d
		return j
	}
	pair := func(name string) *Distillation {
		return &Distillation{Terms: []distill.Term{ce("Student", 0), ce(name, 0)}, Peers: []Peer{newTinyOf(true, 9).peer(name)}}
	}
	plain, paired := with(nil), with(pair("Teacher"))
	for _, j := range []*Job{plain, paired} {
		if err := j.Train(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	foreign := newest(t, plain)
	foreign.State.Foreign = true
	for _, tc := range []struct {
		name string
		from *checkpoint.Checkpoint
		d    *Distillation
		want string // "" if it can go on
	}{
		{"none, with one", newest(t, plain), pair("Teacher"), `has the networks [], this run ["Teacher"]`},
		{"one, with none", newest(t, paired), nil, `has the networks ["Teacher"], this run []`},
		{"one, with another", newest(t, paired), pair("Tutor"), `["Tutor"]`},
		{"PaddleVideo's, with one", foreign, pair("Teacher"), `["Teacher"]`},
		{"one", newest(t, paired), pair("Teacher"), ""},
	} {
		j := with(tc.d)
		j.Epochs, j.Resume = 2, tc.from
		err := j.Train(t.Context())
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error is %v, want %q", tc.name, err, tc.want)
		}
		if _, latest, err := checkpoint.Latest(j.Dir, j.Name); tc.want != "" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: wrote %v", tc.name, latest)
		}
	}
}

// Ranks distil as one process whose batch is as large as theirs together: rank
// 0's networks are those of all, also where a rank has no clip to show them.
func TestRanksDistilTogether(t *testing.T) {
	processes(t, 2, func(m *member) {
		for _, tc := range []struct {
			name   string
			synced bool
			spoil  bool // all of rank 0's first batch
		}{
			{"all clips", false, false},
			{"a batch without clips, synced", true, true},
		} {
			c := newClips(m.T, 13)
			n, peer := newTiny(true), newTinyOf(true, 9)
			if tc.synced {
				n, peer = newNormed(), newNormedOf(9)
			}
			if tc.spoil {
				c.spoil(m.T, batches(m.T, n.job(m.T, c, 0, 2), 0)[0]...)
			}
			alone := n.job(m.T, c, 0, 1)
			alone.load(m.T, 2*jobBatch, 0, 1)
			alone.Distillation, alone.PreciseBN = distillation(m.T, 13, peer, newTinyOf(false, 11), 0), &PreciseBN{Interval: 1, Batches: 2}
			if err := alone.Train(m.Context()); err != nil {
				m.Fatal(err)
			}
			j := m.job(n, c)
			j.SyncBN, j.Distillation, j.PreciseBN = tc.synced, distillation(m.T, 13, peer, newTinyOf(false, 11), m.rank), alone.PreciseBN
			m.finish(j)
			if m.rank > 0 {
				continue
			}
			near(m.T, tc.name, learned(m.T, j), learned(m.T, alone), 1e-6)
			near(m.T, tc.name+", the peer", peerOf(m.T, j), peerOf(m.T, alone), 1e-6)
			if distance(learned(m.T, j), n.w) < 0.01 || distance(peerOf(m.T, j), peer.w) < 0.01 {
				m.Errorf("%s: nothing was learned", tc.name)
			}
		}
	})
}

// peerOf are the weights of the only peer that a run saved last.
func peerOf(t *testing.T, j *Job) graph.Weights {
	t.Helper()
	w := graph.Weights{}
	for _, e := range newest(t, j).Peers[0].Params {
		w[e.Name] = e.Tensor
	}
	return w
}

// Ranks with other terms say so.
func TestRanksOfDifferentLosses(t *testing.T) {
	processes(t, 2, func(m *member) {
		n, c := newTiny(true), newClips(m.T, 13)
		j := m.job(n, c)
		j.Distillation = distillation(m.T, 13, newTinyOf(true, 9), newTinyOf(true, 11), m.rank)
		if m.rank == 1 {
			j.Distillation.Terms[2].Weight = 2
		}
		if err := j.Train(m.Context()); err == nil || !strings.Contains(err.Error(), "train: the loss is") {
			m.Errorf("error is %v", err)
		}
		if left, _ := os.ReadDir(j.Dir); len(left) > 0 {
			m.Errorf("left %v", left)
		}
	})
}

// Labels as the only term are what a run learns from without distillation; the
// job's own smoothing is not added to the term's.
func TestLabelsAsTheOnlyTerm(t *testing.T) {
	n, c := newTiny(true), newClips(t, 6)
	plain, termed := n.job(t, c, 0, 1), n.job(t, c, 0, 1)
	termed.Distillation = &Distillation{Terms: []distill.Term{ce("Student", plain.Smoothing)}}
	for _, j := range []*Job{plain, termed} {
		if err := j.Train(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "by a term", learned(t, termed), learned(t, plain), 1e-6)
}
