package train

import (
	"context"
	"fmt"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/schedule"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// slotSuffix is what Paddle puts behind the name of a slot.
const slotSuffix = "_0"

// What becomes of checkpoints that a new one replaces.
const (
	keepOthers = false
	pruneOld   = true
)

// save writes a checkpoint of the run as it stands, to its end even where ctx
// has ended: the other ranks wait for it, and know nothing of ctx.
func (r *run) save(ctx context.Context, name string, prune bool) error {
	var err error
	if r.rank() == 0 {
		err = r.write(context.WithoutCancel(ctx), name, prune)
	}
	return r.agree(ctx, "checkpoint "+name, err)
}

func (r *run) write(ctx context.Context, name string, prune bool) error {
	c, err := r.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := checkpoint.Save(r.Dir, name, c); err != nil || !prune {
		return err
	}
	return checkpoint.Prune(r.Dir, r.Name, name)
}

// snapshot copies everything to the host.
func (r *run) snapshot(ctx context.Context) (*checkpoint.Checkpoint, error) {
	w, err := r.learner.Weights(ctx)
	if err != nil {
		return nil, err
	}
	slots, err := r.learner.Optimizer().State(ctx)
	if err != nil {
		return nil, err
	}
	m := moment{w, slots}
	c := &checkpoint.Checkpoint{State: r.state, LRScheduler: scheduler(r.Rate.State(r.state.Total))}
	if c.Network, err = m.network(r.Network, itself); err != nil {
		return nil, fmt.Errorf("%s: %w", r.where(), err)
	}
	for _, p := range r.Distillation.parts() {
		n, err := m.network(p.Network, p.Param)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", r.where(), p.Name, err)
		}
		c.Peers = append(c.Peers, checkpoint.Peer{Name: p.Name, Network: n})
	}
	if s := r.learner.Scaler(); s != nil {
		c.State.Scaler = &checkpoint.Scaler{Scale: s.Scale, Good: s.Good}
	}
	return c, nil
}

// A moment is what the learner has, under the names of all that learns.
type moment struct {
	weights graph.Weights
	slots   []optim.Slot
}

// network is the part of it that is a network's, under its own names, of which
// inner makes the learner's.
func (m moment) network(net *tsn.Network, inner func(string) string) (checkpoint.Network, error) {
	n := checkpoint.Network{ParamNames: map[string]string{}}
	for _, p := range net.Params {
		t := m.weights[inner(p.Name)]
		if !finite(t.Float32s()) {
			return n, fmt.Errorf("parameter %s is not finite, so nothing was saved; the checkpoints before are whole. To try: a lower learning rate or a longer warm-up", p.Name)
		}
		n.Params = append(n.Params, pdparams.Entry{Name: p.Name, Tensor: t})
		n.ParamNames[p.Name] = p.Paddle
	}
	return n, m.addSlots(&n, net, inner)
}

func itself(name string) string { return name }

func finite(v []float32) bool {
	for _, x := range v {
		if x-x != 0 { // NaN or infinite
			return false
		}
	}
	return true
}

// scheduler is the dict that Paddle's schedule of that state saves.
func scheduler(s *schedule.State) *pdparams.Dict {
	if s == nil {
		return nil
	}
	d := &pdparams.Dict{}
	if s.Fractional {
		d.Set("last_epoch", s.Position)
	} else {
		d.Set("last_epoch", int64(s.Position))
	}
	d.Set("last_lr", s.Rate)
	if s.After != nil {
		d.Set("LinearWarmup_LR", scheduler(s.After))
	}
	return d
}

// addSlots adds the optimiser's state, slot by slot in the network's order, as
// Paddle does.
func (m moment) addSlots(n *checkpoint.Network, net *tsn.Network, inner func(string) string) error {
	bySlot, order := map[string]map[string]*tensor.Dense{}, []string(nil)
	for _, s := range m.slots {
		if bySlot[s.Name] == nil {
			bySlot[s.Name] = map[string]*tensor.Dense{}
			order = append(order, s.Name)
		}
		bySlot[s.Name][s.Param] = s.Tensor
	}
	for _, slot := range order {
		for _, p := range net.Params {
			if t := bySlot[slot][inner(p.Name)]; t != nil {
				if err := n.AddSlot(checkpoint.Slot(slot+slotSuffix), p.Name, t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// begin makes the run what its checkpoint says, or begins anew.
func (r *run) begin(ctx context.Context) error {
	r.state = r.Position()
	c := r.Resume
	if c == nil {
		return nil
	}
	if err := r.learner.SetWeights(ctx, r.weights(c)); err != nil {
		return fmt.Errorf("train: resume: %w", err)
	}
	if s := c.State.Scaler; s != nil && r.learner.Scaler() != nil {
		*r.learner.Scaler() = Scaler{Scale: s.Scale, Good: s.Good}
	}
	if was, is := max(c.State.World, 1), r.Loader.Size(); was != is && !c.State.Foreign {
		r.Log.Printf("The number of processes is %d where it was %d: %d of %d iterations of epoch %d are done",
			is, was, r.state.Iterations, r.state.Batches, r.state.Epochs+1)
	}
	return r.setSlots(ctx, c)
}

// weights are a checkpoint's, by the learner's names.
func (r *run) weights(c *checkpoint.Checkpoint) graph.Weights {
	w := graph.Weights{}
	for _, e := range c.Params {
		w[e.Name] = e.Tensor
	}
	for i, p := range r.Distillation.parts() {
		for _, e := range c.Peers[i].Params {
			w[p.Param(e.Name)] = e.Tensor
		}
	}
	return w
}

// Position is where the job begins: at the start, or where the checkpoint that
// it goes on from was made, counted in iterations of as many processes as there
// are now.
func (j *Job) Position() checkpoint.State {
	s := checkpoint.State{Model: j.Name}
	switch c := j.Resume; {
	case c == nil:
	case c.State.Foreign:
		s.Epochs, s.Total = c.State.Epochs, c.State.Epochs*j.Batches()
	default:
		s = c.State.In(j.Loader.Size(), j.Batches(), max(j.Accumulate, 1))
	}
	s.Seed, s.Batches, s.Run, s.World = j.Seed, j.Batches(), j.Run, 0
	if size := j.Loader.Size(); size > 1 {
		s.World = size
	}
	return s
}

func (r *run) setSlots(ctx context.Context, c *checkpoint.Checkpoint) error {
	read := map[string]map[string]*tensor.Dense{}
	find := func(param, slot string) (t *tensor.Dense, err error) {
		if read[slot] == nil {
			read[slot], err = r.slots(c, checkpoint.Slot(slot+slotSuffix))
		}
		return read[slot][param], err
	}
	err := r.learner.Optimizer().SetState(ctx, optim.UnknownSteps, find)
	if err != nil {
		return fmt.Errorf("train: resume: the checkpoint's optimiser state does not fit: %w", err)
	}
	return nil
}

// slots are the tensors of a slot of all that learns, by the learner's names.
func (r *run) slots(c *checkpoint.Checkpoint, s checkpoint.Slot) (map[string]*tensor.Dense, error) {
	all, err := c.Slots(s)
	if err != nil {
		return nil, err
	}
	for i, p := range r.Distillation.parts() {
		found, err := c.Peers[i].Slots(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		for name, t := range found {
			all[p.Param(name)] = t
		}
	}
	return all, nil
}
