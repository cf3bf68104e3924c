package train

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/torch"
)

// Distributed says how ranks learn together. The zero value suits most.
type Distributed struct {
	// SyncBN normalises with the statistics of all ranks' clips, else each rank
	// with those of its own; then the running statistics of rank 0 are kept.
	SyncBN bool
	// BucketBytes is how many bytes of gradients are sent as one; 0: 25 MiB.
	BucketBytes int
}

// join connects the ranks, if there are several, and makes sure that they mean
// the same run.
func (j *Job) join(ctx context.Context, session *torch.Session) (ranks, error) {
	if j.Join == nil {
		return ranks{}, j.place(0, 1)
	}
	g, err := j.Join(ctx, session)
	if err != nil {
		return ranks{}, err
	}
	err = j.place(g.Rank(), g.Size())
	if err == nil {
		err = j.compare(ctx, g)
	}
	if err != nil {
		g.Close()
		return ranks{}, err
	}
	return ranks{g}, nil
}

func (j *Job) place(rank, size int) error {
	if j.Loader.Rank() != rank || j.Loader.Size() != size {
		return fmt.Errorf("train: rank %d of %d with the clips of rank %d of %d", rank, size, j.Loader.Rank(), j.Loader.Size())
	}
	return nil
}

// compare finds ranks whose configuration, lists or flags are not those of rank
// 0: with those they would sooner or later wait for each other in vain.
func (j *Job) compare(ctx context.Context, g *torch.Group) error {
	mine, err := j.settings()
	if err != nil {
		return err
	}
	all, err := exchange(ctx, g, "the settings of all ranks", mine)
	if err != nil {
		return err
	}
	for rank, other := range all {
		for _, name := range slices.Sorted(maps.Keys(all[0])) {
			if other[name] != all[0][name] {
				return fmt.Errorf("train: %s is %s on rank 0 and %s on rank %d: start all ranks with the same configuration, lists and flags",
					name, all[0][name], other[name], rank)
			}
		}
	}
	return nil
}

// settings are what must be the same on all ranks.
func (j *Job) settings() (map[string]string, error) {
	validated := 0
	if j.Validation != nil {
		validated = j.Validation.Set.Len()
	}
	values := map[string]any{
		"the network": j.Run.Network, "the training list (sha256)": j.Run.List, "the batch size": j.Loader.Batch(),
		"the number of batches in an epoch": j.Batches(), "epochs": j.Epochs, "the batches of an update": max(j.Accumulate, 1),
		"label smoothing": j.Smoothing, "PRECISEBN": j.PreciseBN, "the length of the validation list": validated,
		"the save interval": j.SaveInterval, "--save_every": j.SaveEvery, "--max-bad": j.MaxBad,
		"--sync_bn": j.Distributed.SyncBN, "--bucket_mb (in bytes)": j.Distributed.BucketBytes,
	}
	if j.Distillation != nil {
		values["the loss"] = j.Distillation.Terms
	}
	if j.Validation != nil {
		values["the validation interval"] = j.Validation.Interval
	}
	texts := map[string]string{}
	for name, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("train: %s: %w", name, err)
		}
		texts[name] = string(b)
	}
	for name, v := range j.Run.Settings {
		texts[name] = v
	}
	return texts, nil
}

// A position is where rank 0 begins, besides tensors.
type position struct {
	State   checkpoint.State
	Updates int // of the optimiser
	Scaler  *Scaler
}

// share makes all ranks what rank 0 is: it alone has read weights and
// checkpoints.
func (r *run) share(ctx context.Context) error {
	if r.alone() {
		return nil
	}
	all, err := exchange(ctx, r.group, "the position of rank 0", position{r.state, r.learner.opt.Steps(), r.learner.scaler})
	if err != nil {
		return err
	}
	p := all[0]
	r.state, r.Seed = p.State, p.State.Seed
	r.Loader.SetSeed(r.Seed)
	r.learner.opt.SetSteps(p.Updates)
	if r.learner.scaler != nil {
		r.learner.scaler = p.Scaler
	}
	return r.learner.share(ctx)
}

// share gives all ranks rank 0's parameters, statistics and optimiser state, and
// its teachers.
func (l *Learner) share(ctx context.Context) error {
	return l.session.Do(ctx, func(s *torch.Scope) error {
		var tensors []torch.Tensor
		for _, p := range l.net.Graph().Params {
			tensors = append(tensors, l.net.Param(p.Name))
		}
		l.o.Group.Broadcast(s, "the weights of rank 0", tensors)
		l.o.Group.Broadcast(s, "the optimiser state of rank 0", l.opt.Tensors())
		for _, t := range l.teachers {
			t.share(s, l.o.Group)
		}
		if l.half != nil {
			l.half.refresh(s, l.opt.Leaves())
		}
		return nil
	})
}

// shareStatistics gives all ranks rank 0's running statistics.
func (l *Learner) shareStatistics(ctx context.Context) error {
	var tensors []torch.Tensor
	for _, name := range statistics(l.net.Graph()) {
		tensors = append(tensors, l.net.Param(name))
	}
	if len(tensors) == 0 {
		return nil
	}
	return l.session.Do(ctx, func(s *torch.Scope) error {
		l.o.Group.Broadcast(s, "the running statistics of rank 0", tensors)
		return nil
	})
}

// statistics names the running statistics of a network, in its order.
func statistics(g *graph.Graph) []string {
	var names []string
	for _, n := range g.Nodes {
		if _, ok := n.Op.(graph.BatchNorm); ok {
			names = append(names, n.In[3].Name, n.In[4].Name)
		}
	}
	return names
}
