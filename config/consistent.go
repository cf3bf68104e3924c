package config

import "fmt"

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
		d.fail("METRIC.num_classes", "%d, but num_classes of the head is %d", c.metric.classes, classes)
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
