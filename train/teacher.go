package train

import (
	"context"
	"fmt"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// A teacher is a network that gives scores and does not learn.
type teacher struct {
	name string
	net  *torch.Network
}

// addTeachers copies teachers to the device, as an engine computes them: batch
// norms are part of convolutions, and in mixed precision these have 16 bits.
func (l *Learner) addTeachers(ctx context.Context) error {
	o := torch.NetworkOptions{DType: l.dtype(), Contiguous: l.o.Contiguous}
	if l.o.AMP.Level != "" {
		o.DType = l.o.AMP.DType
	}
	for _, t := range l.o.Teachers {
		g, w, err := graph.Optimize(t.Network.Graph, t.Weights)
		if err != nil {
			return fmt.Errorf("train: %s: %w", t.Name, err)
		}
		net, err := torch.NewNetwork(ctx, l.session, g, w, o)
		if err != nil {
			return fmt.Errorf("train: %s: %w", t.Name, err)
		}
		l.teachers = append(l.teachers, teacher{t.Name, net})
	}
	l.o.Teachers = nil // the device has their weights
	return nil
}

// given are the scores that others than the learner's network have for a batch.
func (l *Learner) given(s *torch.Scope, b MicroBatch) map[string]torch.Tensor {
	scores := map[string]torch.Tensor{}
	for name, d := range b.Scores {
		scores[name] = s.To(s.From(d), l.dtype())
	}
	if len(l.teachers) == 0 {
		return scores
	}
	if n := b.Views.Shape[0]; n == 0 { // a rank without clips
		for _, t := range l.teachers {
			scores[t.name] = s.To(s.From(tensor.New(tensor.Float32, b.Targets.Shape...)), l.dtype())
		}
		return scores
	}
	x := s.From(b.Views)
	if l.o.AMP.Level == "" {
		x = s.To(x, l.dtype())
	}
	for _, t := range l.teachers {
		scores[t.name] = s.To(t.net.Forward(s, torch.Pass{}, x)[0], l.dtype())
	}
	s.Release(x)
	return scores
}

// share gives all ranks rank 0's weights of a teacher. Gloo sends no bfloat16,
// so they go as float32.
func (t teacher) share(s *torch.Scope, g *torch.Group) {
	var own, sent []torch.Tensor
	for _, p := range t.net.Graph().Params {
		own = append(own, t.net.Param(p.Name))
	}
	for _, w := range own {
		if s.DType(w) == torch.BFloat16 {
			w = s.To(w, torch.Float32)
		}
		sent = append(sent, w)
	}
	g.Broadcast(s, "the weights of "+t.name, sent)
	for i, w := range own {
		if sent[i] != w {
			s.Run("aten::copy_", w, sent[i], false)
			s.Release(sent[i])
		}
	}
}
