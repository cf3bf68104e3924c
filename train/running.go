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

// settle makes the averages the network's running statistics.
func (p *preciseBN) settle(ctx context.Context, l *Learner) error {
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
