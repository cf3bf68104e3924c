package config

import (
	"slices"
	"sort"

	"github.com/pptsn/pptsn/schedule"
)

var schedules = []string{"CustomWarmupCosineDecay", "PiecewiseDecay", "CustomPiecewiseDecay", "CosineAnnealingDecay", "LinearWarmup"}

// learningRate reads a number or a named schedule.
func (s *section) learningRate(key string) schedule.LearningRate {
	if !s.has(key) {
		return schedule.LearningRate{}
	}
	if !s.isSection(key) {
		return schedule.LearningRate{Constant: s.positive(key, 1)}
	}
	inner := s.section(key)
	inner.require("name")
	rate := inner.schedule(inner.oneOf("name", "", schedules...))
	inner.only("last_epoch", "use resume_epoch", -1.0)
	inner.lookup("verbose") // it prints; the log has every rate
	inner.done()
	return rate
}

func (s *section) schedule(name string) schedule.LearningRate {
	s.perIteration(name)
	switch name {
	case "CustomWarmupCosineDecay":
		return schedule.LearningRate{WarmupCosine: s.warmupCosine()}
	case "PiecewiseDecay", "CustomPiecewiseDecay":
		return schedule.LearningRate{Piecewise: s.piecewise(name == "CustomPiecewiseDecay")}
	case "CosineAnnealingDecay":
		s.require("learning_rate", "T_max")
		c := &schedule.Cosine{Base: s.positive("learning_rate", 1), Period: s.int("T_max", 1), Min: s.float("eta_min", 0)}
		s.check("T_max", c.Period > 0, "at least 1 epoch")
		s.check("eta_min", c.Min >= 0, "a number of at least 0")
		return schedule.LearningRate{Cosine: c}
	case "LinearWarmup":
		return schedule.LearningRate{LinearWarmup: s.linearWarmup()}
	}
	return schedule.LearningRate{}
}

// perIteration checks iter_step, which tells the reference when to advance:
// its schedules work with one setting each.
func (s *section) perIteration(name string) {
	iter := s.bool("iter_step", false)
	switch want := name == "CustomWarmupCosineDecay" || name == "CustomPiecewiseDecay"; {
	case name == "" || s.bad["iter_step"] || iter == want:
	case want:
		s.fail("iter_step", "%s advances every iteration: want True", name)
	default:
		s.fail("iter_step", "%s advances every epoch: want False", name)
	}
}

func (s *section) warmupCosine() *schedule.WarmupCosine {
	s.require("warmup_start_lr", "warmup_epochs", "cosine_base_lr", "max_epoch")
	w := &schedule.WarmupCosine{
		Start:        s.float("warmup_start_lr", 0),
		WarmupEpochs: s.float("warmup_epochs", 0),
		Base:         s.positive("cosine_base_lr", 1),
		Epochs:       s.positive("max_epoch", 1),
	}
	s.check("warmup_start_lr", w.Start >= 0, "a number of at least 0")
	s.check("warmup_epochs", w.WarmupEpochs >= 0, "a number of at least 0")
	if !s.bad["max_epoch"] {
		s.check("warmup_epochs", w.WarmupEpochs <= w.Epochs, "at most max_epoch")
	}
	return w
}

func (s *section) piecewise(perIteration bool) *schedule.Piecewise {
	s.require("boundaries", "values")
	p := &schedule.Piecewise{Boundaries: s.ints("boundaries"), Values: s.floats("values"), PerIteration: perIteration}
	s.check("boundaries", sort.IntsAreSorted(p.Boundaries), "ascending integers")
	s.check("values", len(p.Values) == len(p.Boundaries)+1 || s.bad["boundaries"], "one value more than boundaries")
	s.check("values", len(p.Values) == 0 || slices.Min(p.Values) >= 0, "numbers of at least 0")
	return p
}

func (s *section) linearWarmup() *schedule.LinearWarmup {
	s.require("learning_rate", "warmup_steps", "start_lr", "end_lr")
	w := &schedule.LinearWarmup{
		Epochs: s.int("warmup_steps", 1),
		Start:  s.float("start_lr", 0),
		End:    s.positive("end_lr", 1),
		After:  s.learningRate("learning_rate"),
	}
	s.check("warmup_steps", w.Epochs > 0, "at least 1 epoch")
	s.check("start_lr", w.Start >= 0 && (w.Start < w.End || s.bad["end_lr"]), "a number from 0 to below end_lr")
	if w.After.WarmupCosine != nil || w.After.LinearWarmup != nil || w.After.Piecewise != nil && w.After.Piecewise.PerIteration {
		s.fail("learning_rate", "after LinearWarmup a schedule must advance every epoch: want PiecewiseDecay, CosineAnnealingDecay or a number")
	}
	return w
}
