package config

import "github.com/pptsn/pptsn/clip"

// Inference is the section INFERENCE: how predict and an exported model see a
// video. It differs from the test pipeline: frames become 4:3 whatever their
// shape (see tools/utils.py, ppTSN_Inference_helper).
type Inference struct {
	Clip clip.Spec
	TopK int // how many classes predict shows
}

// Inference is the preprocessing of an exported model.
func (c *Config) Inference() (Inference, error) {
	if c.inference == nil {
		return Inference{}, c.missing("INFERENCE")
	}
	return *c.inference, nil
}

func (d *decoder) inference(s *section) *Inference {
	if s == nil {
		return nil
	}
	s.require("name")
	s.oneOf("name", "", "ppTSN_Inference_helper")
	s.only("seg_len", "one frame is taken from each segment", 1.0)
	segments := s.segments("num_seg", 25)
	short, size := s.pixels("short_size", 256), s.pixels("target_size", 224)
	if size > short {
		s.fail("target_size", "cuts %d pixels from frames whose short side is %d", size, short)
	}
	topK := s.int("top_k", 1)
	s.check("top_k", topK > 0, "at least 1")
	s.done()
	return &Inference{
		Clip: clip.Spec{
			Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: segments},
			Steps: []clip.Step{
				{Scale: &clip.Scale{ShortSide: short, FixedRatio: true, Round: true, Backend: clip.OpenCV}},
				{TenCrop: &clip.TenCrop{Size: size}},
				{Normalize: &clip.Normalize{
					Mean: [3]float32{0.485, 0.456, 0.406}, // of ImageNet, RGB
					Std:  [3]float32{0.229, 0.224, 0.225},
				}},
			},
		},
		TopK: topK,
	}
}
