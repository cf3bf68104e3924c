package config

// Training is what a training run needs besides the network and its data.
type Training struct {
	Epochs    int // epochs, at least 1
	Optimizer Optimizer

	SaveInterval int // save_interval: epochs between two checkpoints; default 1
	ValInterval  int // val_interval: epochs between two validations; default 1
	ResumeEpoch  int // resume_epoch: continue after this many epochs; 0: from the start

	// Optional sections, nil or 0 where the file has none.
	Mix         *Mix       // MIX
	PreciseBN   *PreciseBN // PRECISEBN
	GlobalBatch int        // GRADIENT_ACCUMULATION: clips in one update, over all devices and batches
}

// Mix blends pairs of clips of a batch and their labels. With probability
// CutmixShare it pastes a box (Cutmix), else it adds (Mixup). The blend is drawn
// from Beta(alpha, alpha).
type Mix struct {
	CutmixShare float64 // 0 for Mixup, 1 for Cutmix, between for VideoMix
	MixupAlpha  float64 // above 0 where Mixup may happen
	CutmixAlpha float64 // above 0 where Cutmix may happen
}

// PreciseBN replaces the running statistics of batch norms by exact averages
// over some training batches.
type PreciseBN struct {
	Interval int // epochs between two times; default 1
	Batches  int // batches to average over; default 200
}

// Training is what OPTIMIZER, MIX, PRECISEBN, GRADIENT_ACCUMULATION and the
// keys beside them say.
func (c *Config) Training() (Training, error) {
	if c.optimizer == nil {
		return Training{}, c.missing("OPTIMIZER")
	}
	if c.epochs == 0 {
		return Training{}, c.missing("epochs")
	}
	t := c.run
	t.Epochs, t.Optimizer = c.epochs, *c.optimizer
	return t, nil
}

// training reads all but the optimiser and the number of epochs.
func (d *decoder) training(s *section) Training {
	t := Training{
		SaveInterval: s.int("save_interval", 1),
		ValInterval:  s.int("val_interval", 1),
		ResumeEpoch:  s.int("resume_epoch", 0),
		Mix:          d.mix(s.section("MIX")),
		PreciseBN:    d.preciseBN(s.section("PRECISEBN")),
	}
	s.check("save_interval", t.SaveInterval > 0, "at least 1")
	s.check("val_interval", t.ValInterval > 0, "at least 1")
	s.check("resume_epoch", t.ResumeEpoch >= 0, "at least 0")
	if g := s.section("GRADIENT_ACCUMULATION"); g != nil {
		g.require("global_batch_size")
		t.GlobalBatch = g.intWithin("global_batch_size", 0, 1, 1<<30)
		g.done()
	}
	return t
}

func (d *decoder) mix(s *section) *Mix {
	if s == nil {
		return nil
	}
	s.require("name")
	m := new(Mix)
	switch s.oneOf("name", "", "Mixup", "Cutmix", "VideoMix") {
	case "Mixup":
		m.MixupAlpha = s.positive("alpha", 0.2)
	case "Cutmix":
		m.CutmixShare = 1
		m.CutmixAlpha = s.positive("alpha", 0.2)
	case "VideoMix":
		m.CutmixShare = s.positive("cutmix_prob", 0.5)
		s.check("cutmix_prob", m.CutmixShare <= 1, "a probability above 0")
		m.MixupAlpha = s.positive("mixup_alpha", 0.2)
		m.CutmixAlpha = s.positive("cutmix_alpha", 1)
	default:
		return m // reported; its options are unknown too
	}
	s.done()
	return m
}

func (d *decoder) preciseBN(s *section) *PreciseBN {
	if s == nil {
		return nil
	}
	p := &PreciseBN{Interval: s.int("preciseBN_interval", 1), Batches: s.int("num_iters_preciseBN", 200)}
	s.check("preciseBN_interval", p.Interval > 0, "at least 1")
	s.check("num_iters_preciseBN", p.Batches > 0, "at least 1")
	s.done()
	return p
}
