package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/fetch"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/train"
	"github.com/pptsn/pptsn/tsn"
)

// resumption finds the checkpoint that --resume, resume_epoch=N or a restart
// mean.
func (t *trainSetup) resumption(ctx context.Context, j *train.Job) error {
	restarted, err := t.meeting.restarted(ctx)
	if err != nil {
		return err
	}
	name := ""
	if restarted || t.resume && t.training.ResumeEpoch == 0 {
		if name, err = t.newest(j); err != nil {
			return err
		}
	}
	if name == "" && t.training.ResumeEpoch > 0 {
		name = checkpoint.EpochName(j.Name, t.training.ResumeEpoch)
	}
	if name == "" {
		return nil
	}
	if t.weights != "" && !restarted {
		return usagef("resume_epoch goes on with a checkpoint's weights: leave out -w")
	}
	return t.goOn(j, name)
}

// newest is the newest whole checkpoint; "" if there is none yet.
func (t *trainSetup) newest(j *train.Job) (string, error) {
	name, warnings, err := checkpoint.Latest(j.Dir, j.Name)
	for _, w := range warnings {
		j.Log.Printf("Passed over a checkpoint: %v", w)
	}
	switch {
	case !errors.Is(err, checkpoint.ErrNone):
		return name, err
	case lost(warnings):
		return "", fmt.Errorf("--resume: %w, but others, named above: go on from one with -o resume_epoch=N, or begin anew without --resume, which writes over them", err)
	}
	j.Log.Printf("No checkpoint in %s yet: beginning at epoch 1", j.Dir)
	return "", nil
}

func (t *trainSetup) goOn(j *train.Job, name string) error {
	t.from = name
	c, err := checkpoint.Open(filepath.Join(j.Dir, name))
	if err != nil {
		return err
	}
	if !c.State.Foreign {
		if t.seedGiven && t.seed != c.State.Seed {
			return fmt.Errorf("--seed %d: the run of %s has seed %d: leave --seed out", t.seed, name, c.State.Seed)
		}
		j.Seed = c.State.Seed
	}
	j.Resume = c
	j.Log.Printf("Resuming from %s: %d epochs and %d iterations are done", name, c.State.Epochs, c.State.Iterations)
	if c.State.Epochs >= j.Epochs {
		j.Log.Printf("Nothing is left to train: epochs is %d", j.Epochs)
	}
	return nil
}

// lost says that beginning anew would cost checkpoints that were passed over. A
// single one without its third file is what a kill during the first save leaves.
func lost(passedOver []error) bool {
	return len(passedOver) > 1 || len(passedOver) == 1 && !errors.Is(passedOver[0], checkpoint.ErrNoState)
}

// ready comes before what changes files of an earlier run.
func (t *trainSetup) ready(_ context.Context, j *train.Job) error { return j.Check() }

// setAside comes when all else is in order: checkpoints of an earlier run that
// are newer than what this one begins with are no longer gone on from.
func (t *trainSetup) setAside(_ context.Context, j *train.Job) error {
	old, err := checkpoint.SetAside(j.Dir, j.Name, t.from)
	if len(old) > 0 {
		j.Log.Printf("Of an earlier run, not gone on from any more: %s", strings.Join(old, ", "))
	}
	if err == nil {
		err = tellStrangers(j)
	}
	if err != nil {
		return err
	}
	return t.meeting.hasBegun()
}

// tellStrangers names files that stand beside the run's as if they were of its
// networks, since they are not replaced with them.
func tellStrangers(j *train.Job) error {
	var peers []string
	if j.Distillation != nil {
		for _, p := range j.Distillation.Peers {
			peers = append(peers, p.Name)
		}
	}
	names, err := checkpoint.Strangers(j.Dir, j.Name, peers)
	if len(names) > 0 {
		const most = 5
		more := ""
		if len(names) > most {
			more = fmt.Sprintf(" and %d more", len(names)-most)
		}
		j.Log.Printf("Not of this run and left as they are: %s%s", strings.Join(names[:min(len(names), most)], ", "), more)
	}
	return err
}

// weightsToStart are the student's, or of the only network.
func (t *trainSetup) weightsToStart(ctx context.Context, j *train.Job) (err error) {
	if t.weights == "" {
		j.Weights, err = t.start(ctx, j, j.Network, t.model, j.Seed)
		return err
	}
	j.Weights = j.Network.Init(t.model.Head.Std, j.Seed)
	if t.given(j) {
		return nil
	}
	return t.adapt(ctx, j, j.Network, j.Weights, t.weights, false)
}

// given says that the checkpoint, or rank 0, has all weights.
func (t *trainSetup) given(j *train.Job) bool { return j.Resume != nil || t.meeting.rank() > 0 }

// start draws weights of a network that learns and puts those that the
// configuration names in their place.
func (t *trainSetup) start(ctx context.Context, j *train.Job, net *tsn.Network, m config.Model, seed uint64) (graph.Weights, error) {
	w := net.Init(m.Head.Std, seed)
	ref, key := m.Weights, m.Key+".pretrained"
	if ref == "" {
		ref, key = m.Pretrained, m.Key+".backbone.pretrained"
	}
	if ref == "" || t.given(j) {
		return w, nil
	}
	if err := t.adapt(ctx, j, net, w, ref, m.Weights == ""); err != nil {
		return nil, fmt.Errorf("%s: %w (without: -o %s=\"\")", key, err, key)
	}
	return w, nil
}

func (t *trainSetup) adapt(ctx context.Context, j *train.Job, net *tsn.Network, w graph.Weights, ref string, backboneOnly bool) error {
	path, err := t.fetch(ctx, ref)
	if err != nil {
		return err
	}
	f, err := pdparams.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	report, err := net.Adapt(w, f, backboneOnly)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	j.Log.Printf("Weights from %s: %s", path, report)
	return nil
}

// fetch is where weights are on this machine.
func (t *trainSetup) fetch(ctx context.Context, ref string) (string, error) {
	return fetch.Weights(ctx, ref, fetch.Options{Progress: t.downloaded, Retrying: t.retrying, Waiting: t.waiting})
}

// learner translates OPTIMIZER and MODEL.
func (t *trainSetup) learner(_ context.Context, j *train.Job) error {
	amp, err := t.precision()
	if err != nil {
		return err
	}
	o := t.training.Optimizer
	j.Learner = train.LearnerOptions{
		Rule:      rule(o),
		Optimizer: optim.Options{ClipNorm: o.ClipNorm},
		Params:    t.rules(t.model).Trainable(j.Network),
		AMP:       amp,
	}
	mode := "fp32"
	if amp.Level != "" {
		mode = fmt.Sprintf("amp (%s, level %s)", amp.DType, amp.Level)
	}
	j.Log.Printf("Training in %s mode.", mode)
	return nil
}

// rules say how the parameters of a model learn.
func (t *trainSetup) rules(m config.Model) train.Rules {
	return train.Rules{
		Decay: t.training.Optimizer.WeightDecay, NoDecay: t.training.Optimizer.NoDecay, LRFactors: m.LRFactors,
		WeightLR: m.Head.WeightLR, BiasLR: m.Head.BiasLR, OwnDecay: m.Head.OwnDecay,
	}
}

func rule(o config.Optimizer) optim.Rule {
	switch o.Method {
	case config.Momentum:
		return optim.Momentum{Mu: o.Momentum, Nesterov: o.Nesterov}
	case config.Adam, config.AdamW:
		return optim.Adam{Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon, Decoupled: o.Method == config.AdamW}
	}
	return optim.SGD{}
}

func (t *trainSetup) downloaded(done, total int64) {
	if total > 0 {
		fmt.Fprintf(t.err, "\rdownloading weights: %d of %d MiB", done>>20, total>>20)
		if done == total {
			fmt.Fprintln(t.err)
		}
	}
}

func (t *trainSetup) waiting() {
	fmt.Fprintln(t.err, "pptsn: another process downloads the same weights; waiting for it")
}

func (t *trainSetup) retrying(err error, wait time.Duration) {
	fmt.Fprintf(t.err, "\npptsn: %v; trying again in %s\n", err, wait)
}
