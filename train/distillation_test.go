package train

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// Terms of the tests.
func ce(of string, smoothing float64) distill.Term {
	return distill.Term{Kind: distill.CE, Of: of, To: distill.GroundTruth, Weight: 1, Smoothing: smoothing}
}

func dml(of, to string, weight float64) distill.Term {
	return distill.Term{Kind: distill.DML, Of: of, To: to, Weight: weight, Act: distill.Softmax, Epsilon: 1e-12}
}

func kd(to string) distill.Term {
	return distill.Term{Kind: distill.KD, Of: distill.Student, To: to, Weight: 1, Temperature: 2, Alpha: 0.7, Smoothing: 0.1}
}

func (n *tiny) peer(name string) Peer {
	return Peer{Name: name, Network: n.network(), Weights: n.w, Params: n.rules}
}

func (n *tiny) teacher(name string) Teacher {
	return Teacher{Name: name, Network: n.network(), Weights: n.w}
}

// distilled is a learner of a student with others, on a job's way to it.
func (n *tiny) distilled(t *testing.T, session *torch.Session, d *Distillation, o LearnerOptions) *Learner {
	t.Helper()
	net, err := tsn.Join(n.network(), d.parts())
	if err != nil {
		t.Fatal(err)
	}
	var w graph.Weights
	w, o.Params, o.Outputs = d.together(n.w, n.rules)
	o.Terms, o.Teachers = d.Terms, d.Teachers
	return newLearner(t, session, net, w, o)
}

// of are the weights of one network among several.
func of(w graph.Weights, part string) graph.Weights {
	own := graph.Weights{}
	for name, d := range w {
		if inner, ok := strings.CutPrefix(name, part); ok && (part != "" || !strings.HasPrefix(name, "Teacher.")) {
			own[inner] = d
		}
	}
	return own
}

// Networks that learn beside each other, but not from each other, learn as each
// does alone: the student to the same bits, dropout included.
func TestPeersWithoutALessonAreAlone(t *testing.T) {
	session := startCPU(t, 1)
	student, peer := newTiny(false), newTinyOf(true, 9)
	for _, d := range []torch.DType{torch.Float32, torch.Float64} {
		both := student.distilled(t, session, &Distillation{
			Terms: []distill.Term{ce("Student", 0), ce("Teacher", 0), dml("Student", "Teacher", 0)},
			Peers: []Peer{peer.peer("Teacher")},
		}, LearnerOptions{DType: d})
		one, two := student.learner(t, session, student.w, LearnerOptions{DType: d}), peer.learner(t, session, peer.w, LearnerOptions{DType: d})
		batches := []MicroBatch{student.batch(1, 4), student.batch(2, 4), student.batch(3, 3)}
		losses := teach(t, both, 0.02, batches...)
		first, second := teach(t, one, 0.02, batches...), teach(t, two, 0.02, batches...)
		for i, got := range losses {
			if want := first[i] + second[i]; math.Abs(got-want) > 1e-5 {
				t.Errorf("%s, step %d: loss is %v, want %v", d, i, got, want)
			}
		}
		w := weights(t, both)
		same(t, "the student", of(w, ""), weights(t, one))
		same(t, "its peer", of(w, "Teacher."), weights(t, two))
		if distance(of(w, ""), student.w) < 0.01 || distance(of(w, "Teacher."), peer.w) < 0.01 {
			t.Error("nothing was learned")
		}
	}
}

// Gradients reach both networks of a mutual lesson, and are the slopes of the
// loss.
func TestGradientsOfAPair(t *testing.T) {
	session := startCPU(t, 1)
	student, peer := newTiny(false), newTinyOf(false, 9)
	d := &Distillation{
		Terms: []distill.Term{ce("Student", 0.1), dml("Student", "Teacher", 2), ce("Teacher", 0)},
		Peers: []Peer{peer.peer("Teacher")},
	}
	l := student.distilled(t, session, d, LearnerOptions{DType: torch.Float64})
	b := student.batch(4, 3)
	accumulate(t, l, b)
	grads := gradients(t, l)
	loss := func(w graph.Weights) float64 {
		if err := l.SetWeights(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		out, err := l.Accumulate(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		return out.Loss
	}
	base := weights(t, l)
	for _, name := range []string{"fc.bias", "fc.weight", "short.filter", "Teacher.fc.bias", "Teacher.fc.weight", "Teacher.short.scale"} {
		const i = 3
		at := func(step float32) (float64, float64) {
			w := maps.Clone(base)
			w[name] = base[name].Clone()
			w[name].Float32s()[i] += step
			return float64(w[name].Float32s()[i]), loss(w)
		}
		x1, y1 := at(-1e-2)
		x2, y2 := at(1e-2)
		// The loss comes in float32, and ReLUs make corners.
		slope, want := (y2-y1)/(x2-x1), float64(grads[name].Float32s()[i])
		if math.Abs(slope-want) > 1e-2*math.Abs(want)+2e-4 || math.Abs(want) < 1e-3 {
			t.Errorf("%s: gradient is %v, the slope %v", name, want, slope)
		}
	}
}

// The norm that is bounded is that of both networks' gradients together.
func TestClipNormOfAPair(t *testing.T) {
	const bound, rate = 1e-3, 1.0
	student, peer := newTiny(true), newTinyOf(true, 9)
	for _, n := range []*tiny{student, peer} {
		for i := range n.rules {
			n.rules[i].LRMult, n.rules[i].Decay = 1, 0
		}
	}
	l := student.distilled(t, startCPU(t, 1), &Distillation{Terms: []distill.Term{ce("Student", 0), ce("Teacher", 0)}, Peers: []Peer{peer.peer("Teacher")}},
		LearnerOptions{Rule: optim.SGD{}, Optimizer: optim.Options{ClipNorm: bound}})
	before := weights(t, l)
	teach(t, l, rate, student.batch(1, 4))
	square := map[bool]float64{} // of what the peer moved by, and the student
	for name, d := range weights(t, l) {
		for i, v := range d.Float32s() {
			square[strings.HasPrefix(name, "Teacher.")] += math.Pow(float64(v)-float64(before[name].Float32s()[i]), 2)
		}
	}
	if got := math.Sqrt(square[true] + square[false]); math.Abs(got-rate*bound) > 1e-2*bound || square[true] < 1e-8 || square[false] < 1e-8 {
		t.Errorf("both moved by %v, want %v; squares %v", got, rate*bound, square)
	}
}

// A frozen teacher gives what it gives when it is used, before and after steps,
// and keeps its weights.
func TestTeacherStaysAsItIs(t *testing.T) {
	session := startCPU(t, 1)
	student, other := newTiny(false), newTinyOf(false, 9)
	teach(t, other.learner(t, session, other.w, LearnerOptions{}), 0.02, other.batch(8, 4)) // a network of its own, with statistics
	d := &Distillation{Terms: []distill.Term{kd("Teacher")}, Teachers: []Teacher{other.teacher("Teacher")}}
	l := student.distilled(t, session, d, LearnerOptions{})
	b := student.batch(1, 3)
	want, err := graph.Eval(other.Graph, other.w, b.Views)
	if err != nil {
		t.Fatal(err)
	}
	before := scoresOf(t, l, b)["Teacher"]
	if err := graphtest.Compare(before, want[0], 1e-5); err != nil {
		t.Errorf("scores of the teacher: %v", err)
	}
	start, err := l.teachers[0].net.Weights(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	teach(t, l, 0.02, b, student.batch(2, 3), b)
	if after := scoresOf(t, l, b)["Teacher"]; !slices.Equal(after.Data, before.Data) {
		t.Error("the teacher's scores changed")
	}
	end, err := l.teachers[0].net.Weights(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the teacher", end, start)
	if distance(weights(t, l), student.w) < 0.01 {
		t.Error("the student did not learn")
	}
}

// scoresOf are those that others have for a batch.
func scoresOf(t *testing.T, l *Learner, b MicroBatch) map[string]*tensor.Dense {
	t.Helper()
	all := map[string]*tensor.Dense{}
	err := l.session.Do(t.Context(), func(s *torch.Scope) error {
		for name, x := range l.given(s, b) {
			all[name] = s.Dense(x, tensor.Float32)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Stored scores teach as the network does that they are of.
func TestStoredScoresTeachAsTheirNetwork(t *testing.T) {
	session := startCPU(t, 1)
	student, other := newTiny(true), newTinyOf(true, 9)
	terms := []distill.Term{kd("Teacher"), dml("Student", "Teacher", 0.5)}
	live := student.distilled(t, session, &Distillation{Terms: terms, Teachers: []Teacher{other.teacher("Teacher")}}, LearnerOptions{})
	from := student.distilled(t, session, &Distillation{Terms: terms, Stored: []Stored{{Name: "Teacher"}}}, LearnerOptions{})
	alone := student.learner(t, session, student.w, LearnerOptions{})
	for i := range uint64(3) {
		b := student.batch(i, 3)
		teach(t, alone, 0.02, b)
		b.Scores = scoresOf(t, live, b)
		teach(t, from, 0.02, b)
		b.Scores = nil
		teach(t, live, 0.02, b)
	}
	same(t, "from stored scores", weights(t, from), weights(t, live))
	if distance(weights(t, live), weights(t, alone)) < 1e-3 {
		t.Error("the teacher taught nothing")
	}
}

// Of a batch that is mixed, stored scores are mixed with the same partners and
// share.
func TestStoredScoresOfMixedClips(t *testing.T) {
	n, c := newTiny(true), newClips(t, 7)
	j := n.job(t, c, 0, 1)
	s := Stored{Name: "Teacher"}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 7 {
		v := make([]float32, tinyClasses)
		for k := range v {
			v[k] = float32(4 * rng.NormFloat64())
		}
		s.Scores = append(s.Scores, v)
	}
	d := &Distillation{Stored: []Stored{s}}
	for _, mix := range []*dataset.Mix{nil, {MixupAlpha: 1}} {
		j.loadMixed(t, 7, 0, 1, mix)
		for b, err := range j.Loader.Epoch(t.Context(), 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
			got := d.scores(b, tinyClasses)["Teacher"].Float32s()
			for i, sample := range b.Samples {
				own := got[i*tinyClasses : (i+1)*tinyClasses]
				if mix == nil {
					if !slices.Equal(own, s.Scores[sample]) {
						t.Errorf("scores of sample %d are %v, want %v", sample, own, s.Scores[sample])
					}
					continue
				}
				p, q := probabilities(s.Scores[sample]), probabilities(s.Scores[b.Partners[i]])
				for k, v := range probabilities(own) {
					if want := float64(b.Lambda)*p[k] + (1-float64(b.Lambda))*q[k]; math.Abs(v-want) > 1e-6 {
						t.Errorf("sample %d with %d: class %d has %v, want %v", sample, b.Partners[i], k, v, want)
					}
				}
			}
			b.Release()
		}
	}
}

func probabilities(scores []float32) []float64 {
	p, sum := make([]float64, len(scores)), 0.0
	for i, v := range scores {
		p[i] = math.Exp(float64(v))
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// In 16 bits a student learns from peer and teacher about as it does in 32.
func TestMixedPrecisionDistills(t *testing.T) {
	session := startSmall(t)
	student, peer, other := newTiny(false), newTinyOf(false, 9), newTinyOf(false, 11)
	d := &Distillation{
		Terms:    []distill.Term{ce("Student", 0.1), ce("Peer", 0.1), dml("Student", "Peer", 1), kd("Teacher")},
		Peers:    []Peer{peer.peer("Peer")},
		Teachers: []Teacher{other.teacher("Teacher")},
	}
	var batches []MicroBatch
	for i := range uint64(20) {
		batches = append(batches, student.batch(i, 16))
	}
	want := teach(t, student.distilled(t, session, d, LearnerOptions{}), 0.02, batches...)
	if last := want[len(want)-1]; last > 0.8*want[0] {
		t.Fatalf("float32 does not learn: from %v to %v", want[0], last)
	}
	all := maps.Clone(modes)
	if session.Device().CUDA {
		all["float16 O1"], all["float16 O2"] = AMP{Level: O1, DType: torch.Float16}, AMP{Level: O2, DType: torch.Float16}
	}
	for name, amp := range all {
		got := teach(t, student.distilled(t, session, d, LearnerOptions{AMP: amp}), 0.02, batches...)
		if math.Abs(got[0]-want[0]) > 0.02*want[0] {
			t.Errorf("%s: first loss is %v, float32's %v", name, got[0], want[0])
		}
		if last, should := got[len(got)-1], want[len(want)-1]; math.Abs(last-should) > 0.15*should {
			t.Errorf("%s: last loss is %v, float32's %v", name, last, should)
		}
	}
}

// Precise statistics of a pair are those of each alone.
func TestPreciseStatisticsOfPeers(t *testing.T) {
	session := startCPU(t, 1)
	student, peer := newTiny(false), newTinyOf(false, 9)
	both := student.distilled(t, session, &Distillation{
		Terms: []distill.Term{ce("Student", 0), ce("Teacher", 0)}, Peers: []Peer{peer.peer("Teacher")},
	}, LearnerOptions{})
	precise := func(l *Learner) graph.Weights {
		p := preciseBN{names: statistics(l.net.Graph())}
		for i := range uint64(2) {
			if err := p.observe(t.Context(), l, student.batch(i, 3).Views, i); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.settle(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		return weights(t, l)
	}
	w := precise(both)
	same(t, "the student", of(w, ""), precise(student.learner(t, session, student.w, LearnerOptions{})))
	same(t, "its peer", of(w, "Teacher."), precise(peer.learner(t, session, peer.w, LearnerOptions{})))
	if distance(of(w, "Teacher."), peer.w) < 0.01 {
		t.Error("the peer's statistics stayed")
	}
}

// What the student cannot learn from is said before anything begins.
func TestDistillationIsChecked(t *testing.T) {
	n, c := newTiny(true), newClips(t, 3)
	other := newTinyOf(true, 9)
	wrong := &tsn.Network{Graph: graph.New("wide"), Spec: tsn.Spec{Classes: tinyClasses}}
	x := wrong.Graph.Input("x", graph.Unknown, tinyViews+1, 3, tinySide, tinySide)
	wrong.Graph.Output(x)
	rows := func(n, k int) (v [][]float32) {
		for range n {
			v = append(v, make([]float32, k))
		}
		return v
	}
	nan := rows(3, tinyClasses)
	nan[1][2] = float32(math.NaN())
	peer, teacher, stored := []Peer{other.peer("Peer")}, []Teacher{other.teacher("Teacher")}, []Stored{{"Kept", rows(3, tinyClasses)}}
	student := ce("Student", 0)
	sigmoid := dml("Student", "Kept", 1)
	sigmoid.Act = distill.Sigmoid
	linear := kd("Teacher")
	linear.Temperature = 0
	for _, tc := range []struct {
		d    Distillation
		want string // "" if it is right
	}{
		{Distillation{Terms: []distill.Term{student, ce("Peer", 0), dml("Student", "Peer", 1)}, Peers: peer}, ""},
		{Distillation{Terms: []distill.Term{dml("Teacher", "Student", 1)}, Teachers: teacher}, ""},
		{Distillation{Terms: []distill.Term{student, kd("Kept")}, Stored: stored}, ""},
		{Distillation{Terms: []distill.Term{kd("Peer"), {Kind: distill.KD, Of: "Peer", To: "Teacher", Weight: 1, Temperature: 1}}, Peers: peer, Teachers: teacher}, ""},
		{Distillation{}, "teaches the Student"},
		{Distillation{Terms: []distill.Term{ce("Peer", 0)}, Peers: peer}, "teaches the Student"},
		{Distillation{Terms: []distill.Term{student, kd("Peer")}, Peers: peer}, "no term of the loss teaches Peer: freeze it"},
		{Distillation{Terms: []distill.Term{student, dml("Student", "Peer", 0)}, Peers: peer}, "teaches Peer"},
		{Distillation{Terms: []distill.Term{student}, Teachers: teacher}, "reads the scores of Teacher"},
		{Distillation{Terms: []distill.Term{student, kd("Nobody")}}, "no network Nobody"},
		{Distillation{Terms: []distill.Term{student, ce("Teacher", 0)}, Teachers: teacher}, "teaches nobody: Teacher does not learn"},
		{Distillation{Terms: []distill.Term{student, dml("Kept", "Teacher", 1)}, Teachers: teacher, Stored: stored}, "teaches nobody"},
		{Distillation{Terms: []distill.Term{linear}, Teachers: teacher}, "temperature of 0"},
		{Distillation{Terms: []distill.Term{sigmoid}, Stored: stored}, `act "sigmoid" of stored scores`},
		{Distillation{Terms: []distill.Term{student}, Peers: []Peer{other.peer("Student")}}, "Student is taken"},
		{Distillation{Terms: []distill.Term{student}, Teachers: []Teacher{other.teacher("GroundTruth")}}, "GroundTruth is taken"},
		{Distillation{Terms: []distill.Term{student}, Peers: []Peer{other.peer("../x")}}, `"../x"`},
		{Distillation{Terms: []distill.Term{student}, Peers: peer, Teachers: []Teacher{other.teacher("Peer")}}, "Peer is taken"},
		{Distillation{Terms: []distill.Term{kd("Wide")}, Teachers: []Teacher{{Name: "Wide", Network: wrong}}}, "the input of Wide is"},
		{Distillation{Terms: []distill.Term{kd("Kept")}, Stored: []Stored{{"Kept", rows(2, tinyClasses)}}}, "scores of 2 clips, the training list has 3"},
		{Distillation{Terms: []distill.Term{kd("Kept")}, Stored: []Stored{{"Kept", rows(3, 4)}}}, "4 scores"},
		{Distillation{Terms: []distill.Term{kd("Kept")}, Stored: []Stored{{"Kept", nan}}}, "not finite"},
	} {
		j := n.job(t, c, 0, 1)
		j.Distillation = &tc.d
		err := j.Check()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(fmt.Sprint(err), tc.want) {
			t.Errorf("%v: error is %v, want %q", tc.d.Terms, err, tc.want)
		}
	}
}
