package train

import (
	"context"
	"maps"
	"slices"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// A Distillation lets the network of a job, the student, learn from other
// networks, too. Names are those that the terms have for scores; the student's
// are distill.Student.
type Distillation struct {
	Terms    []distill.Term // the loss is their sum
	Peers    []Peer         // networks that learn beside the student
	Teachers []Teacher      // networks that do not learn
	Stored   []Stored       // scores of networks that need not be here
}

// A Peer learns from the same clips as the student, in the same updates. Its
// input and classes are those of the student.
type Peer struct {
	Name    string
	Network *tsn.Network
	Weights graph.Weights // to start from
	Params  []optim.Param // what is trained, as LearnerOptions.Params
}

// A Teacher stays as it is. It sees the clips of the student as it would when it
// is used: with its running statistics, without dropout. (The reference leaves
// frozen networks in training mode, so their batch norms go on moving.)
type Teacher struct {
	Name    string
	Network *tsn.Network
	Weights graph.Weights
}

// Stored are the scores of a network for the clips of a job.
type Stored struct {
	Name   string
	Scores [][]float32 // for each sample of Job.Data its K scores, before the softmax
}

// parts are the networks that learn beside the student; none without
// distillation.
func (d *Distillation) parts() []tsn.Part {
	if d == nil {
		return nil
	}
	parts := make([]tsn.Part, len(d.Peers))
	for i, p := range d.Peers {
		parts[i] = tsn.Part{Name: p.Name, Network: p.Network}
	}
	return parts
}

// learner is that of a job: all networks that learn are one to it.
func (j *Job) learner(ctx context.Context, session *torch.Session, g *torch.Group) (*Learner, error) {
	o := j.Learner
	o.Group, o.Distributed = g, j.Distributed
	net, err := tsn.Join(j.Network, j.Distillation.parts())
	if err != nil {
		return nil, err
	}
	w := j.Weights
	if d := j.Distillation; d != nil {
		w, o.Params, o.Outputs = d.together(w, o.Params)
		o.Terms, o.Teachers = d.Terms, d.Teachers
	}
	return NewLearner(ctx, session, net, w, o)
}

// together adds the peers to what the student begins with and how it learns.
func (d *Distillation) together(w graph.Weights, params []optim.Param) (graph.Weights, []optim.Param, []string) {
	w, params, outputs := maps.Clone(w), slices.Clone(params), []string{distill.Student}
	for i, p := range d.parts() {
		outputs = append(outputs, p.Name)
		for name, t := range d.Peers[i].Weights {
			w[p.Param(name)] = t
		}
		for _, q := range d.Peers[i].Params {
			q.Name = p.Param(q.Name)
			params = append(params, q)
		}
	}
	return w, params, outputs
}

// letGo forgets what the learner has copied.
func (j *Job) letGo() {
	j.Weights, j.Resume = nil, nil
	if d := j.Distillation; d != nil {
		for i := range d.Peers {
			d.Peers[i].Weights = nil
		}
		for i := range d.Teachers {
			d.Teachers[i].Weights = nil
		}
	}
}

// scores are what is stored for a batch, mixed as its clips are; none without
// distillation.
func (d *Distillation) scores(b *dataset.Batch, classes int) map[string]*tensor.Dense {
	if d == nil {
		return nil
	}
	scores := map[string]*tensor.Dense{}
	for _, s := range d.Stored {
		scores[s.Name] = s.batch(b, classes)
	}
	return scores
}

func (s Stored) batch(b *dataset.Batch, classes int) *tensor.Dense {
	v := make([]float32, 0, len(b.Samples)*classes)
	for i, sample := range b.Samples {
		if b.Partners == nil {
			v = append(v, s.Scores[sample]...)
		} else {
			v = distill.Mixed(v, s.Scores[sample], s.Scores[b.Partners[i]], float64(b.Lambda))
		}
	}
	return tensor.FromFloat32(v, len(b.Samples), classes)
}
