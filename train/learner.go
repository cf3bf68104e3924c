package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
	"github.com/pptsn/pptsn/tsn"
)

// LearnerOptions says how a network learns.
type LearnerOptions struct {
	Rule      optim.Rule
	Optimizer optim.Options
	Params    []optim.Param // name, factor and decay of what is trained; tensors are filled in
	AMP       AMP
	DType     torch.DType // of parameters and arithmetic without AMP; 0 means Float32
	// Contiguous keeps pictures as N, C, H, W; the default, channels last, is faster.
	Contiguous bool
	// Terms are the loss; nil: the cross entropy of the scores with Targets. Outputs
	// are the names in them of a network's outputs; nil: distill.Student of its only
	// one. Teachers give scores under their names and do not learn.
	Terms    []distill.Term
	Outputs  []string
	Teachers []Teacher
	// Group are the ranks that learn together, each from its own clips; nil: this
	// process learns alone.
	Group *torch.Group
	Distributed
}

// labelsAlone is the loss of a network that learns from nothing else.
var labelsAlone = []distill.Term{{Kind: distill.CE, Of: distill.Student, To: distill.GroundTruth, Weight: 1}}

// A Learner is a network that learns on one device: forward, loss, backward,
// update. Batches are [n, T, 3, H, W].
type Learner struct {
	session *torch.Session
	net     *torch.Network
	opt     *optim.Optimizer
	half    *halfWeights // of AMP level O2, else nil
	scaler  *Scaler      // of AMP in float16, else nil
	o       LearnerOptions
	weight  float64    // shares of the micro-batches whose gradients wait for an update
	reduce  *reduction // nil without a group

	teachers []teacher
}

// NewLearner copies weights to the session's device. The caller closes the
// learner, then the session.
func NewLearner(ctx context.Context, session *torch.Session, net *tsn.Network, w graph.Weights, o LearnerOptions) (*Learner, error) {
	if err := o.AMP.check(session.Device()); err != nil {
		return nil, err
	}
	n, err := torch.NewNetwork(ctx, session, net.Graph, w, torch.NetworkOptions{DType: o.DType, Contiguous: o.Contiguous})
	if err != nil {
		return nil, err
	}
	if o.Terms == nil {
		o.Terms = labelsAlone
	}
	if o.Outputs == nil {
		o.Outputs = []string{distill.Student}
	}
	l := &Learner{session: session, net: n, o: o}
	if err := l.start(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Learner) start(ctx context.Context) error {
	if err := l.addTeachers(ctx); err != nil {
		return err
	}
	params := make([]optim.Param, len(l.o.Params))
	err := l.session.Do(ctx, func(s *torch.Scope) error {
		for i, p := range l.o.Params {
			params[i] = p
			if params[i].Tensor = l.net.Param(p.Name); params[i].Tensor.None() {
				return fmt.Errorf("train: the network has no parameter %q", p.Name)
			}
			s.RequireGrad(params[i].Tensor)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if l.opt, err = optim.New(ctx, l.session, params, l.o.Rule, l.o.Optimizer); err != nil {
		return err
	}
	if l.o.AMP.Level == O2 {
		if l.half, err = newHalfWeights(ctx, l.session, l.opt.Leaves(), params, l.o.AMP.DType); err != nil {
			return err
		}
	}
	if l.o.AMP.Level != "" && l.o.AMP.DType == torch.Float16 {
		l.scaler = NewScaler()
	}
	if l.o.Group != nil {
		l.reduce, err = newReduction(ctx, l.session, l.inOrder(), l.o)
	}
	return err
}

// leaves are what gradients are of, in the optimiser's order.
func (l *Learner) leaves() []torch.Tensor {
	if l.half != nil {
		return l.half.leaves
	}
	return l.opt.Leaves()
}

// inOrder are the leaves in the network's order, which backward passes go through
// from its end: so buckets of gradients are whole early.
func (l *Learner) inOrder() []torch.Tensor {
	leaves := make([]torch.Tensor, len(l.o.Params))
	for i, p := range l.o.Params {
		leaves[i] = l.net.Param(p.Name)
		if l.half != nil {
			if t, ok := l.half.byName[p.Name]; ok {
				leaves[i] = t
			}
		}
	}
	return leaves
}

// A MicroBatch is what one forward and backward pass sees.
type MicroBatch struct {
	Views   *tensor.Dense // [n, T, 3, H, W], Float32; with SyncBN n may be 0
	Targets *tensor.Dense // [n, K], Float32: the wanted distribution of each clip
	// Scores are those of networks that are not here, by the names that Terms have
	// for them, [n, K], Float32.
	Scores map[string]*tensor.Dense
	Seed   uint64 // of dropout
	// Share scales the loss; 0 means 1. The gradients of an update are divided by
	// the sum of its shares, of all ranks: with n times a constant each clip
	// counts the same.
	Share float64
	// Last says that Reduce comes next, so that gradients may be summed over the
	// ranks while later ones are still computed; Name names the update in errors.
	// Without a group neither matters.
	Last bool
	Name string
}

// An Outcome is what a pass computed.
type Outcome struct {
	Loss   float64   // mean over the clips
	Logits []float32 // [n, K], of the first output
}

// ErrNotFinite reports a loss that is infinite or no number.
var ErrNotFinite = errors.New("the loss is not finite")

// Accumulate runs forward and backward and adds to the gradients. A loss that
// is not finite is ErrNotFinite, and leaves the gradients as they were. In a
// group it does not: other ranks count on this one's backward pass. They must be
// told, and the update be left out.
func (l *Learner) Accumulate(ctx context.Context, b MicroBatch) (Outcome, error) {
	var out Outcome
	err := l.session.Do(ctx, func(s *torch.Scope) error {
		s.Seed(b.Seed)
		var stats []torch.BatchStats
		scores := l.given(s, b)
		var loss, scaled torch.Tensor
		s.WithGrad(func() {
			for i, x := range l.forward(s, b.Views, &stats) {
				scores[l.o.Outputs[i]] = x
			}
			loss, scaled = l.loss(s, scores, b)
		})
		out.Loss = scalar(s, loss)
		bad := s.Err() == nil && !finite([]float32{float32(out.Loss)})
		if bad && l.reduce == nil {
			return ErrNotFinite
		}
		out.Logits = s.Float32s(scores[l.o.Outputs[0]])
		s.Release(slices.Collect(maps.Values(scores))...)
		l.reduce.count(s, b)
		s.Backward(scaled)
		updateRunning(s, l.net, stats)
		if bad {
			return ErrNotFinite
		}
		return nil
	})
	if err == nil && b.Views.Shape[0] > 0 {
		l.weight += b.share()
	}
	return out, err
}

// forward gives the outputs for a training batch, each [n, K], recorded for
// Backward.
func (l *Learner) forward(s *torch.Scope, views *tensor.Dense, stats *[]torch.BatchStats) (out []torch.Tensor) {
	pass := torch.Pass{Training: true, Stats: stats}
	if l.o.SyncBN {
		pass.Sync = l.o.Group
	}
	x := s.From(views)
	switch l.o.AMP.Level {
	case O2:
		pass.Params = l.half.byName
		x = s.To(x, l.o.AMP.DType)
	case O1:
	default:
		x = s.To(x, l.dtype())
	}
	run := func() { out = l.net.Forward(s, pass, x) }
	if l.o.AMP.Level == O1 {
		s.WithAutocast(l.o.AMP.DType, run)
	} else {
		run()
	}
	for i, logits := range out {
		out[i] = s.To(logits, l.dtype())
	}
	return out
}

func (l *Learner) dtype() torch.DType {
	if l.o.DType == 0 {
		return torch.Float32
	}
	return l.o.DType
}

// loss is that of a batch, the mean over its clips; scaled is what is
// differentiated.
func (l *Learner) loss(s *torch.Scope, scores map[string]torch.Tensor, b MicroBatch) (loss, scaled torch.Tensor) {
	loss = distill.Loss(s, l.o.Terms, scores, s.To(s.From(b.Targets), l.dtype()))
	factor := b.share()
	if l.scaler != nil {
		factor *= l.scaler.Scale
	}
	if factor == 1 {
		return loss, loss
	}
	return loss, s.Call("aten::mul.Scalar", loss, factor)
}

func (b MicroBatch) share() float64 {
	if b.Share == 0 {
		return 1
	}
	return b.Share
}

func scalar(s *torch.Scope, t torch.Tensor) float64 {
	if v := s.Float32s(t); len(v) == 1 {
		return float64(v[0])
	}
	return math.NaN()
}

// Update changes the parameters by the gradients that were accumulated, and
// forgets these. It reports whether it did: in float16 a step whose gradients
// overflow is left out, and the loss is scaled less from then on. In a group it
// comes after Reduce.
func (l *Learner) Update(ctx context.Context, lr float64) (updated bool, err error) {
	total := l.weight
	if l.reduce != nil {
		total = l.reduce.total
	}
	l.weight = 0
	if total == 0 {
		return false, nil
	}
	err = l.session.Do(ctx, func(s *torch.Scope) error {
		leaves := l.leaves()
		grads := s.Grads(leaves)
		defer s.DropGrads(leaves)
		if l.half != nil {
			grads = l.half.widen(s, grads)
		}
		if l.reduce == nil { // else Reduce has done so
			divide(s, grads, total)
		}
		if updated = l.scaler == nil || l.scaler.unscale(s, grads); updated {
			l.opt.Update(s, grads, lr)
		}
		if updated && l.half != nil {
			l.half.refresh(s, l.opt.Leaves())
		}
		return nil
	})
	return updated, err
}

// divide leaves gradients of whole updates, whose shares add up to 1, as they are.
func divide(s *torch.Scope, grads []torch.Tensor, total float64) {
	if float32(total) != 1 {
		s.Run("aten::_foreach_mul_.Scalar", grads, 1/total)
	}
}

// Weights copies the parameters and running statistics to the host.
func (l *Learner) Weights(ctx context.Context) (graph.Weights, error) { return l.net.Weights(ctx) }

// SetWeights changes all parameters and running statistics.
func (l *Learner) SetWeights(ctx context.Context, w graph.Weights) error {
	if err := l.net.SetWeights(ctx, w); err != nil || l.half == nil {
		return err
	}
	return l.session.Do(ctx, func(s *torch.Scope) error {
		l.half.refresh(s, l.opt.Leaves())
		return nil
	})
}

// Optimizer is the state of the update rule.
func (l *Learner) Optimizer() *optim.Optimizer { return l.opt }

// Scaler is the state of float16's loss scaling; nil where there is none.
func (l *Learner) Scaler() *Scaler { return l.scaler }

// Close frees what the learner holds on the device.
func (l *Learner) Close() error {
	var errs []error
	l.reduce.close()
	for _, t := range l.teachers {
		errs = append(errs, t.net.Close())
	}
	if l.half != nil {
		l.half.close(l.session)
	}
	if l.opt != nil {
		errs = append(errs, l.opt.Close())
	}
	return errors.Join(append(errs, l.net.Close())...)
}
