package config

import (
	"strings"

	"github.com/pptsn/pptsn/schedule"
)

// A Method is a rule that updates parameters.
type Method string

// The rules.
const (
	Momentum Method = "Momentum"
	SGD      Method = "SGD"
	Adam     Method = "Adam"
	AdamW    Method = "AdamW"
)

// An Optimizer is the section OPTIMIZER, defaults as in paddle.optimizer.
type Optimizer struct {
	Method       Method
	LearningRate schedule.LearningRate

	Momentum float64 // of Momentum, in [0, 1); default 0.9
	Nesterov bool    // of Momentum

	Beta1, Beta2, Epsilon float64 // of Adam and AdamW; default 0.9, 0.999, 1e-8

	// WeightDecay is the factor on the weight that is added to the gradient
	// (L2), at least 0; with AdamW it shrinks the weight itself, default 0.01.
	// Rules of single parameters (Head.OwnDecay, batch norms of the vd
	// backbone) come before it.
	WeightDecay float64
	NoDecay     []string // AdamW: parameters whose names hold one of these words do not decay

	ClipNorm float64 // largest norm of all gradients together; 0: not clipped
}

func (d *decoder) optimizer(s *section) *Optimizer {
	if s == nil {
		return nil
	}
	s.require("name", "learning_rate")
	o := &Optimizer{Method: Method(s.oneOf("name", "Momentum", "Momentum", "SGD", "Adam", "AdamW"))}
	switch o.Method {
	case Momentum:
		o.Momentum = s.share("momentum", 0.9)
		o.Nesterov = s.bool("use_nesterov", false)
	case Adam, AdamW:
		o.Beta1, o.Beta2 = s.share("beta1", 0.9), s.share("beta2", 0.999)
		o.Epsilon = s.positive("epsilon", 1e-8)
	}
	o.WeightDecay = s.weightDecay(o.Method)
	if o.Method == AdamW && s.has("no_weight_decay_name") {
		o.NoDecay = strings.Fields(s.string("no_weight_decay_name", ""))
	}
	o.ClipNorm = s.gradClip()
	o.LearningRate = s.learningRate("learning_rate")
	s.done()
	return o
}

// weightDecay reads a number, or for all but AdamW {name: L2, value: number}.
func (s *section) weightDecay(m Method) float64 {
	const key = "weight_decay"
	at, number, otherwise := s, key, 0.0
	if m == AdamW {
		otherwise = 0.01
	} else if s.isSection(key) {
		at, number = s.section(key), "value"
		at.require("name", "value")
		at.nameHolding("L2", "L2")
	}
	decay := at.float(number, otherwise)
	at.check(number, decay >= 0, "a number of at least 0")
	if at != s {
		at.done()
	}
	return decay
}

func (s *section) gradClip() float64 {
	inner := s.section("grad_clip")
	if inner == nil {
		return 0
	}
	inner.require("name", "value")
	inner.nameHolding("global", "ClipGradByGlobalNorm")
	norm := inner.positive("value", 0)
	inner.done()
	return norm
}

// nameHolding checks a name as the reference does: it needs to hold a word, in
// any case.
func (s *section) nameHolding(word, full string) {
	name := s.string("name", full)
	if !strings.Contains(strings.ToLower(name), strings.ToLower(word)) {
		s.foreign = true
		s.fail("name", "%s", unsupported(name, []string{full}))
	}
}
