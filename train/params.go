package train

import (
	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tsn"
)

// Trainable are the parameters of a network that learn, with their factors on
// the learning rate and their weight decay: the network's rule where it has
// one, else decay.
func Trainable(net *tsn.Network, decay float64) []optim.Param {
	var params []optim.Param
	for _, p := range net.Params {
		if !p.Trainable {
			continue
		}
		o := optim.Param{Name: p.Name, LRMult: p.LRMult, Decay: decay}
		if p.DecaySet {
			o.Decay = p.Decay
		}
		params = append(params, o)
	}
	return params
}
