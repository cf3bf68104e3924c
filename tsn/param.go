package tsn

import "strings"

// A Param is one parameter of a network: what the checkpoint files and the
// optimiser need to know of it.
type Param struct {
	Name      string // structured name, as in .pdparams: backbone.bb_0_0.conv0._conv.weight
	Paddle    string // variable name in Paddle's programs and .pdopt: res2a_branch2a_weights
	Shape     []int
	Trainable bool // false: a running statistic
	// LRMult multiplies the learning rate; 0 for statistics.
	LRMult float64
	// Decay, if DecaySet, is the coefficient of L2 decay that replaces the
	// optimiser's own.
	Decay    float64
	DecaySet bool
}

// setRules applies the reference's rules. PP-TSN: no decay of batch norm scale
// and offset; the classifier learns faster (weights 5x, bias 10x), its bias
// without decay. TSN: none.
func (b *builder) setRules(p *Param) {
	if !p.Trainable {
		return
	}
	p.LRMult = 1
	if b.spec.Family == TSN {
		return
	}
	switch {
	case p.Name == "head.fc.weight":
		p.LRMult, p.Decay, p.DecaySet = 5, 1e-4, true
	case p.Name == "head.fc.bias":
		p.LRMult, p.DecaySet = 10, true
	case strings.Contains(p.Name, "._batch_norm."):
		p.DecaySet = true
	}
}
