package optim

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// A Slot is what is remembered of one parameter: "velocity" of Momentum;
// "moment1", "moment2", "beta1_pow_acc" and "beta2_pow_acc" of Adam, the last
// two [1], the powers Beta^(t+1) after t updates.
type Slot struct {
	Param  string
	Name   string
	Tensor *tensor.Dense // Float32
}

// State copies everything remembered to the host.
func (o *Optimizer) State(ctx context.Context) ([]Slot, error) {
	var slots []Slot
	err := o.session.Do(ctx, func(s *torch.Scope) error {
		for _, g := range o.groups {
			for i, name := range g.names {
				for _, slot := range o.rule.slots() {
					slots = append(slots, Slot{name, slot, s.Dense(g.state[slot][i], tensor.Float32)})
				}
				slots = append(slots, o.powers(name)...)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("optim: %w", err)
	}
	return slots, nil
}

// powers are Adam's running powers, which Paddle keeps for each parameter.
func (o *Optimizer) powers(name string) []Slot {
	a, ok := o.rule.(Adam)
	if !ok {
		return nil
	}
	power := func(beta float64) *tensor.Dense {
		return tensor.FromFloat32([]float32{float32(math.Pow(beta, float64(o.steps+1)))}, 1)
	}
	return []Slot{{name, "beta1_pow_acc", power(a.Beta1)}, {name, "beta2_pow_acc", power(a.Beta2)}}
}

// Tensors are what the rule remembers of the parameters, in an order that is the
// same for the same parameters: what a rank needs to update as another does.
func (o *Optimizer) Tensors() []torch.Tensor {
	var all []torch.Tensor
	for _, g := range o.groups {
		for _, slot := range o.rule.slots() {
			all = append(all, g.state[slot]...)
		}
	}
	return all
}

// SetSteps says how many updates there have been.
func (o *Optimizer) SetSteps(n int) { o.steps = n }

// UnknownSteps makes SetState take the number of updates from Adam's powers.
const UnknownSteps = -1

// SetState puts back what State gave, or what another program saved: find
// returns a slot of a parameter, nil where there is none. steps is the number
// of updates made before, or UnknownSteps. The error
// names the first slot that is missing or of another shape.
func (o *Optimizer) SetState(ctx context.Context, steps int, find func(param, slot string) (*tensor.Dense, error)) error {
	if steps == UnknownSteps {
		var err error
		if steps, err = o.stepsOf(find); err != nil {
			return err
		}
	}
	err := o.session.Do(ctx, func(s *torch.Scope) error {
		for _, g := range o.groups {
			for i, name := range g.names {
				for _, slot := range o.rule.slots() {
					if err := restore(s, g.state[slot][i], name, slot, find); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err == nil {
		o.steps = steps
	}
	return err
}

func restore(s *torch.Scope, to torch.Tensor, param, slot string, find func(param, slot string) (*tensor.Dense, error)) error {
	d, err := find(param, slot)
	if err != nil {
		return err
	}
	if want := s.Shape(to); d == nil || !slices.Equal(d.Shape, want) {
		return fmt.Errorf("optim: %s of %s is %v, want %s", slot, param, d, tensor.ShapeString(want))
	}
	s.Run("aten::copy_", to, s.From(d), false)
	return nil
}

// forgotten stands for so many updates that Adam's corrections are 1.
const forgotten = 1 << 30

// stepsOf is t of Beta2^(t+1), which underflows later than Beta1's.
func (o *Optimizer) stepsOf(find func(param, slot string) (*tensor.Dense, error)) (int, error) {
	a, ok := o.rule.(Adam)
	if !ok || len(o.groups) == 0 {
		return 0, nil
	}
	name := o.groups[0].names[0]
	d, err := find(name, "beta2_pow_acc")
	if err != nil || d == nil || d.Len() == 0 {
		return 0, err
	}
	if d, err = d.Float32(); err != nil { // another program may have saved float64
		return 0, fmt.Errorf("optim: beta2_pow_acc of %s: %w", name, err)
	}
	switch power := float64(d.Float32s()[0]); {
	case power == 0:
		return forgotten, nil
	case power > 0 && power < 1 && a.Beta2 > 0:
		return max(0, int(math.Round(math.Log(power)/math.Log(a.Beta2)))-1), nil
	default:
		return 0, fmt.Errorf("optim: beta2_pow_acc of %s is %v, want a power of %v", name, power, a.Beta2)
	}
}
