package config

import "fmt"

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

// dali checks DALI_LOADER, a section of the reference's second training program
// that reads videos on the GPU. It is not used here.
func (d *decoder) dali(s *section) bool {
	if s == nil {
		return false
	}
	batchSize(s, "batch_size", 8)
	s.string("file_path", "")
	s.segments("num_seg", 1)
	s.only("seglen", "one frame is taken from each segment", 1.0)
	s.pixels("short_size", 256)
	s.pixels("target_size", 224)
	s.channels("mean")
	s.channels("std")
	s.done()
	d.unused = append(d.unused, "DALI_LOADER")
	return true
}

// consistent compares sections with each other.
func (d *decoder) consistent(c *Config) {
	for _, use := range uses {
		d.decodes(use)
	}
	if train, ok := c.data[Train]; ok && c.run.GlobalBatch%max(1, train.Batch) != 0 {
		d.fail("GRADIENT_ACCUMULATION.global_batch_size", "%d is no multiple of DATASET.batch_size, %d", c.run.GlobalBatch, train.Batch)
	}
	if c.epochs > 0 && c.run.ResumeEpoch >= c.epochs {
		d.fail("resume_epoch", "%d of %d epochs: nothing is left to train", c.run.ResumeEpoch, c.epochs)
	}
	if c.model == nil {
		return
	}
	classes := c.model.Network.Classes
	if c.inference != nil && classes > 0 && c.inference.TopK > classes {
		d.fail("INFERENCE.top_k", "%d of %d classes", c.inference.TopK, classes)
	}
	if c.metric != nil && c.metric.classes != 0 && c.metric.classes != classes {
		d.fail("METRIC.num_classes", "%d, but MODEL.head.num_classes is %d", c.metric.classes, classes)
	}
}

// decodes compares the format of a list with the decoder of its pipeline.
func (d *decoder) decodes(use Use) {
	format := d.text("DATASET", string(use), "format")
	name := d.text("PIPELINE", string(use), "decode", "name")
	fits := map[string]string{"VideoDataset": "VideoDecoder", "FrameDataset": "FrameDecoder"}
	if want := fits[format]; want != "" && name != "" && name != want {
		d.fail(fmt.Sprintf("PIPELINE.%s.decode.name", use), "%s does not fit DATASET.%s.format, %s: want %s", name, use, format, want)
	}
}
