package train

import (
	"context"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// keepRunning is the weight of the old value in a running statistic: Paddle's
// momentum of batch norm.
const keepRunning = 0.9

// updateRunning mixes a batch's statistics into the running ones:
// running = 0.9 running + 0.1 batch, with the biased variance of the batch.
func updateRunning(s *torch.Scope, net *torch.Network, stats []torch.BatchStats) {
	if len(stats) == 0 {
		return
	}
	var running, batch []torch.Tensor
	for _, b := range stats {
		running = append(running, net.Param(b.Mean), net.Param(b.Variance))
		batch = append(batch, b.BatchMean, b.Variances(s))
	}
	s.Run("aten::_foreach_mul_.Scalar", running, keepRunning)
	s.Run("aten::_foreach_add_.List", running, batch, 1-keepRunning)
}

// A preciseBN averages the statistics of batch norms over batches.
type preciseBN struct {
	names   []string // of the network's running statistics
	sums    map[string][]float64
	batches int
}

// Observe adds the statistics of one batch [n, T, 3, H, W], which it computes
// as training would, without learning from it.
func (p *preciseBN) observe(ctx context.Context, l *Learner, views *tensor.Dense, seed uint64) error {
	return l.session.Do(ctx, func(s *torch.Scope) error {
		s.Seed(seed)
		var stats []torch.BatchStats
		l.forward(s, views, &stats)
		if p.sums == nil {
			p.sums = map[string][]float64{}
		}
		for _, b := range stats {
			p.add(b.Mean, s.Float32s(b.BatchMean))
			p.add(b.Variance, s.Float32s(b.Variances(s)))
		}
		p.batches++
		return nil
	})
}

func (p *preciseBN) add(name string, v []float32) {
	if p.sums[name] == nil {
		p.sums[name] = make([]float64, len(v))
	}
	for i, x := range v {
		p.sums[name][i] += float64(x)
	}
}

// sum adds up what the ranks observed.
func (p *preciseBN) sum(ctx context.Context, l *Learner) error {
	shapes := map[string]int{}
	for _, v := range l.net.Graph().Params {
		shapes[v.Name] = v.Shape[0]
	}
	all := []float64{float64(p.batches)}
	for _, name := range p.names {
		if p.sums[name] == nil {
			all = append(all, make([]float64, shapes[name])...)
		}
		all = append(all, p.sums[name]...)
	}
	if err := l.o.Group.Sum(ctx, "precise batch norm", all); err != nil {
		return err
	}
	p.batches, all = int(all[0]), all[1:]
	p.sums = map[string][]float64{}
	for _, name := range p.names {
		p.sums[name], all = all[:shapes[name]], all[shapes[name]:]
	}
	return nil
}

// settle makes the averages, over all ranks, the network's running statistics.
func (p *preciseBN) settle(ctx context.Context, l *Learner) error {
	if l.o.Group != nil {
		if err := p.sum(ctx, l); err != nil {
			return err
		}
	}
	if p.batches == 0 {
		return nil
	}
	means := graph.Weights{}
	for name, sums := range p.sums {
		d := tensor.New(tensor.Float32, len(sums))
		for i, x := range sums {
			d.Float32s()[i] = float32(x / float64(p.batches))
		}
		means[name] = d
	}
	return l.session.Do(ctx, func(s *torch.Scope) error {
		for name, d := range means {
			s.Run("aten::copy_", l.net.Param(name), s.From(d), false)
		}
		return nil
	})
}
