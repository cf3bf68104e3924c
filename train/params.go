package train

import (
	"fmt"
	"strings"

	"github.com/pptsn/pptsn/optim"
	"github.com/pptsn/pptsn/tsn"
)

// Rules say how parameters differ in how they learn.
type Rules struct {
	Decay   float64  // weight decay where nothing else is said
	NoDecay []string // parameters whose names hold one of these words do not decay

	// LRFactors scale the learning rate of the stem and of stages 1 to 4.
	LRFactors [5]float64
	// Of the classifier. OwnDecay: its weight decays by 1e-4 and its bias not
	// at all; otherwise both follow Decay.
	WeightLR, BiasLR float64
	OwnDecay         bool
}

// DefaultRules are those of a family's shipped configurations.
func DefaultRules(f tsn.Family, decay float64) Rules {
	r := Rules{Decay: decay, LRFactors: [5]float64{1, 1, 1, 1, 1}, WeightLR: 1, BiasLR: 1}
	if f == tsn.PPTSN {
		r.WeightLR, r.BiasLR, r.OwnDecay = 5, 10, true
	}
	return r
}

// Trainable are the parameters of a network that learn, with their factors on
// the learning rate and their weight decay.
func (r Rules) Trainable(net *tsn.Network) []optim.Param {
	var params []optim.Param
	for _, p := range net.Params {
		if p.Trainable {
			params = append(params, r.param(p))
		}
	}
	return params
}

func (r Rules) param(p tsn.Param) optim.Param {
	o := optim.Param{Name: p.Name, LRMult: 1, Decay: r.Decay}
	switch p.Name {
	case "head.fc.weight":
		o.LRMult = r.WeightLR
		if r.OwnDecay {
			o.Decay = p.Decay
		}
	case "head.fc.bias":
		o.LRMult = r.BiasLR
		if r.OwnDecay {
			o.Decay = p.Decay
		}
	default:
		o.LRMult = r.LRFactors[stage(p.Name)]
		if p.DecaySet {
			o.Decay = p.Decay
		}
	}
	for _, word := range r.NoDecay {
		if strings.Contains(p.Name, word) || strings.Contains(p.Paddle, word) {
			o.Decay = 0
		}
	}
	return o
}

// stage is 0 for the stem, else the number of a backbone's stage, from 1.
func stage(name string) int {
	var s, block int
	if n, _ := fmt.Sscanf(name, "backbone.bb_%d_%d", &s, &block); n == 2 {
		return s + 1
	}
	if n, _ := fmt.Sscanf(name, "backbone.res%d", &s); n == 1 {
		return s - 1
	}
	return 0
}
