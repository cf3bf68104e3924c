package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/train"
	"github.com/pptsn/pptsn/tsn"
)

// distillation readies what the student learns from besides labels, and adds it
// to what must be the same when the run goes on.
func (t *trainSetup) distillation(ctx context.Context, j *train.Job) error {
	d, err := t.cfg.Distillation()
	if err != nil || d == nil {
		return err
	}
	j.Distillation = &train.Distillation{Terms: d.Terms}
	j.Run.Files = map[string]string{}
	j.Log.Printf("%s learns: %s", distill.Student, sizeOf(j.Network))
	for _, p := range d.Peers {
		if err := t.peer(ctx, j, p); err != nil {
			return err
		}
	}
	for _, p := range d.Teachers {
		if err := t.teacher(ctx, j, p); err != nil {
			return err
		}
	}
	for _, s := range d.Stored {
		if err := t.stored(j, s); err != nil {
			return fmt.Errorf("scores of %s: %w", s.Name, err)
		}
	}
	return remember(j, "MODEL.loss", d.Terms)
}

// remember adds a setting of the run.
func remember(j *train.Job, name string, value any) error {
	text, err := json.Marshal(value)
	j.Run.Settings[name] = string(text)
	return err
}

// another builds a network for the clips of the student.
func (t *trainSetup) another(m config.Model) (*tsn.Network, error) {
	spec, err := t.cfg.Clip(config.Train)
	if err != nil {
		return nil, err
	}
	h, w := spec.Size()
	net, err := tsn.Build(m.Network, spec.Views(), h, w)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", t.config, m.Key, err)
	}
	return net, nil
}

// peer adds a network that learns, too.
func (t *trainSetup) peer(ctx context.Context, j *train.Job, p config.Partner) error {
	net, err := t.another(p.Model)
	if err != nil {
		return err
	}
	j.Log.Printf("%s learns: %s", p.Name, sizeOf(net))
	weights, err := t.start(ctx, j, net, p.Model, j.Seed^hashOf(p.Name))
	if err != nil {
		return err
	}
	j.Distillation.Peers = append(j.Distillation.Peers, train.Peer{
		Name: p.Name, Network: net, Weights: weights, Params: t.rules(p.Model).Trainable(net),
	})
	m := p.Model
	return remember(j, "MODEL.models."+p.Name, []any{m.Network, m.LRFactors, m.Head})
}

// hashOf keeps networks of one kind from beginning with the same weights.
func hashOf(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// teacher adds a network that does not learn. Rank 0 alone reads its weights.
func (t *trainSetup) teacher(ctx context.Context, j *train.Job, p config.Partner) error {
	net, err := t.another(p.Model)
	if err != nil {
		return err
	}
	if err := remember(j, "MODEL.models."+p.Name, p.Model.Network); err != nil {
		return err
	}
	teacher := train.Teacher{Name: p.Name, Network: net}
	if t.meeting.rank() > 0 {
		teacher.Weights = net.Init(p.Model.Head.Std, j.Seed) // their shapes; rank 0's take their place
		j.Distillation.Teachers = append(j.Distillation.Teachers, teacher)
		return nil
	}
	path, err := t.fetch(ctx, p.Model.Weights)
	if err != nil {
		return fmt.Errorf("%s.pretrained: %w", p.Model.Key, err)
	}
	if teacher.Weights, err = loadWeights(net, path, p.Model.ClassesKey()); err != nil {
		return fmt.Errorf("%s.pretrained: a frozen network needs weights for all of it: %w", p.Model.Key, err)
	}
	j.Log.Printf("%s is frozen: %s, weights from %s", p.Name, sizeOf(net), path)
	j.Distillation.Teachers = append(j.Distillation.Teachers, teacher)
	j.Run.Files["weights of "+p.Name+" (sha256)"], err = checkpoint.HashFile(path)
	return err
}

// stored adds scores of a network that need not be here.
func (t *trainSetup) stored(j *train.Job, s config.Scores) error {
	data, err := t.cfg.Data(config.Train)
	if err != nil {
		return err
	}
	scores, err := scoresOf(s.Files, j.Data, data.List, t.model.Network.Classes)
	if err != nil {
		return fmt.Errorf("%w\nwant what a test over the training list writes: pptsn test -c TEACHER.yaml -w TEACHER.pdparams -o DATASET.test.file_path=%s -o DATASET.test.data_prefix=%q --dump FILE",
			err, data.List, data.Prefix)
	}
	j.Log.Printf("%s is frozen: its scores of %d clips are in %s", s.Name, len(scores), strings.Join(s.Files, " and "))
	j.Distillation.Stored = append(j.Distillation.Stored, train.Stored{Name: s.Name, Scores: scores})
	var sums []string
	for _, path := range s.Files {
		sum, err := checkpoint.HashFile(path)
		if err != nil {
			return err
		}
		sums = append(sums, "sha256 "+sum)
	}
	return remember(j, "MODEL.models."+s.Name, sums)
}

// sizeOf says what a network is and how much of it could learn.
func sizeOf(net *tsn.Network) string {
	n := 0
	for _, p := range net.Params {
		if !p.Trainable {
			continue
		}
		size := 1
		for _, d := range p.Shape {
			size *= d
		}
		n += size
	}
	return fmt.Sprintf("%s, %d parameters", networkName(net.Spec), n)
}
