package checkpoint

import (
	"fmt"
	"strings"

	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

// A Slot is a tensor that an optimiser keeps for each parameter.
type Slot string

// The slots that Paddle's optimisers keep. The powers have one element, shape [1]:
// beta to the number of updates done plus one.
const (
	Velocity Slot = "velocity_0"      // Momentum
	Moment1  Slot = "moment1_0"       // Adam, AdamW
	Moment2  Slot = "moment2_0"       // Adam, AdamW
	Beta1Pow Slot = "beta1_pow_acc_0" // Adam, AdamW
	Beta2Pow Slot = "beta2_pow_acc_0" // Adam, AdamW
)

// slots are all of them, in the order in which a .pdopt holds them: all of one slot,
// then all of the next.
var slots = []Slot{Velocity, Moment1, Moment2, Beta1Pow, Beta2Pow}

// OptimKey is the key of a .pdopt for a parameter, by Paddle's name for it:
// "conv2d_0.w_0_velocity_0".
func OptimKey(param string, s Slot) string { return param + "_" + string(s) }

// ParseOptimKey is the reverse of OptimKey; ok is false for other keys.
func ParseOptimKey(key string) (param string, s Slot, ok bool) {
	for _, s := range slots {
		if param, ok := strings.CutSuffix(key, "_"+string(s)); ok && param != "" {
			return param, s, true
		}
	}
	return "", "", false
}

// AddSlot appends a parameter's tensor to Optim. The parameter is given by its
// structured name, which must have a Paddle name in ParamNames. Add all of a slot
// in the order of the network, then all of the next, to get Paddle's order.
func (n *Network) AddSlot(s Slot, structured string, t *tensor.Dense) error {
	param, ok := n.ParamNames[structured]
	if !ok {
		return fmt.Errorf("checkpoint: parameter %s has no name for the optimiser", structured)
	}
	n.Optim = append(n.Optim, pdparams.Entry{Name: OptimKey(param, s), Tensor: t})
	return nil
}

// Slots returns the tensors of a slot by the structured names of the parameters.
// It fails on a parameter that ParamNames does not know. A tensor that several
// structured names share is under each of them.
func (n *Network) Slots(s Slot) (map[string]*tensor.Dense, error) {
	structured := map[string][]string{}
	for name, param := range n.ParamNames {
		structured[param] = append(structured[param], name)
	}
	found := map[string]*tensor.Dense{}
	for _, e := range n.Optim {
		param, slot, ok := ParseOptimKey(e.Name)
		if !ok || slot != s {
			continue
		}
		names := structured[param]
		if names == nil {
			return nil, fmt.Errorf("checkpoint: optimiser state %s: the parameters have no %s", e.Name, param)
		}
		for _, name := range names {
			found[name] = e.Tensor
		}
	}
	return found, nil
}

// tableOf is the table of names that Paddle adds to a .pdopt: each key is its
// own name.
func tableOf(entries []pdparams.Entry) map[string]string {
	table := make(map[string]string, len(entries))
	for _, e := range entries {
		table[e.Name] = e.Name
	}
	return table
}
