package train

import (
	"math"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/internal/parity"
	"github.com/pptsn/pptsn/torch"
)

// Three training steps of the kit's networks, whose batches two ranks share:
// with the batch norm of all clips they are the kit's.
func TestTrainingParityOfRanks(t *testing.T) {
	kit := parity.Open(t)
	processes(t, 2, func(m *member) {
		for _, c := range kit.NetCases(m.T) {
			if slices.Contains([]string{"pptsn18_64", "pptsn50_strict_d"}, c.Spec.Name) {
				m.trainCase(kit, c, inFloat64)
			}
		}
	})
}

func (m *member) trainCase(kit *parity.Kit, c parity.NetCase, tol tolerances) {
	session := startCPU(m.T, 1)
	group, err := m.join(m.Context(), session)
	if err != nil {
		m.Fatal(err)
	}
	defer group.Close()
	net, o := setUp(m.T, c, torch.Float64)
	o.Group, o.SyncBN = group, true
	l, err := NewLearner(m.Context(), session, net, kit.Weights(net), o)
	if err != nil {
		m.Fatal(err)
	}
	defer l.Close()
	batch := MicroBatch{Views: c.Input(m.T, kit), Targets: Targets(Labels{A: c.Labels}, c.Spec.Classes, c.Spec.Smooth)}
	half := c.Spec.Batch / 2
	if m.rank == 0 {
		batch = batch.cut(0, half)
	} else {
		batch = batch.cut(half, c.Spec.Batch)
	}
	batch.Share, batch.Last = float64(batch.Views.Shape[0]), true
	for step := range 3 {
		out, err := l.Accumulate(m.Context(), batch)
		if err != nil {
			m.Fatal(err)
		}
		if err := l.Reduce(m.Context(), c.Spec.Name); err != nil {
			m.Fatal(err)
		}
		loss := []float64{out.Loss * batch.Share / float64(c.Spec.Batch)}
		if err := group.Sum(m.Context(), "loss", loss); err != nil {
			m.Fatal(err)
		}
		if step == 0 {
			if math.Abs(loss[0]-c.TrainLosses[0]) > tol.loss*c.TrainLosses[0] {
				m.Errorf("%s: loss %v, want %v", c.Spec.Name, loss[0], c.TrainLosses[0])
			}
			summaries(m.T, kit, c.Spec.Name+": gradient", c.Grads, gradients(m.T, l), tol.grads)
			summaries(m.T, kit, c.Spec.Name+": statistic", c.Statistics, weights(m.T, l), tol.stats)
		}
		if _, err := l.Update(m.Context(), c.Optimizer.LR); err != nil {
			m.Fatal(err)
		}
		if step == 0 {
			summaries(m.T, kit, c.Spec.Name+": parameter after 1 step", c.Params1, weights(m.T, l), tol.params1)
		}
	}
	summaries(m.T, kit, c.Spec.Name+": parameter after 3 steps", c.Params3, weights(m.T, l), tol.params3)
}
