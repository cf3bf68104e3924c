package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/clip"
)

// Clip is PIPELINE.<use>: how a video becomes the network's input. What decodes
// it (VideoDecoder, FrameDecoder) follows from Data.Frames; Image2Array is
// implied by every Spec. A crop larger than the frames that it cuts from is
// reported here.
func (c *Config) Clip(use Use) (clip.Spec, error) {
	spec, ok := c.clips[use]
	if !ok {
		return clip.Spec{}, c.missing("PIPELINE." + string(use))
	}
	if e := c.misfits[use]; e != nil {
		return clip.Spec{}, e
	}
	return spec, nil
}

func (d *decoder) pipelines(s *section) map[Use]clip.Spec {
	clips := map[Use]clip.Spec{}
	if s == nil {
		return clips
	}
	for _, use := range uses {
		if inner := s.section(string(use)); inner != nil {
			clips[use] = inner.pipeline(use)
		}
	}
	s.done()
	return clips
}

func (s *section) pipeline(use Use) clip.Spec {
	var spec clip.Spec
	before := len(s.d.errs)
	s.require("decode", "sample", "transform")
	if decode := s.section("decode"); decode != nil {
		decode.decode()
	}
	if sample := s.section("sample"); sample != nil {
		spec.Sampling = sample.sampling(use)
	}
	if transform := s.lookup("transform"); transform != nil {
		spec.Steps = s.steps(transform, use)
	}
	s.done()
	if len(s.d.errs) == before && s.d.misfits[use] == nil {
		if err := spec.Validate(); err != nil { // what the checks above have no line for
			s.fail("transform", "%s", strings.TrimPrefix(err.Error(), "clip: "))
		}
	}
	return spec
}

// decode has nothing that changes a frame: what remains is to refuse the rest.
func (s *section) decode() {
	s.require("name")
	if s.oneOf("name", "", "VideoDecoder", "FrameDecoder") == "VideoDecoder" {
		// Both backends give the same frames; pyav is another way of sampling.
		s.oneOf("backend", "cv2", "cv2", "decord")
		for _, key := range []string{"mode", "sampling_rate", "num_seg", "num_clips", "target_fps"} {
			s.only(key, "only TimeSformer's decoder reads it")
		}
	}
	s.done()
}

func (s *section) sampling(use Use) clip.Sampling {
	s.require("name", "num_seg")
	s.oneOf("name", "", "Sampler")
	sampling := clip.Sampling{Mode: clip.Plain, Segments: s.segments("num_seg", 0)}
	s.only("seg_len", "one frame is taken from each segment", 1.0)
	s.only("frame_interval", "it samples clips, not segments")
	s.only("dense_sample", "frames are taken from the whole video", false)
	s.only("use_pil", "frames are pictures until Image2Array", true)
	valid := s.bool("valid_mode", false)
	sampling.Random = !valid
	if s.bool("select_left", false) {
		sampling.Mode = clip.SelectLeft
	}
	if s.bool("linspace_sample", false) { // it wins, and knows no training mode
		sampling.Mode, sampling.Random = clip.Linspace, false
	}
	if sampling.Random && use != Train && !s.bad["valid_mode"] {
		s.fail("valid_mode", "%s would choose frames at random: want True", use)
	}
	s.done()
	return sampling
}

func (s *section) segments(key string, otherwise int) int {
	return s.intWithin(key, otherwise, 1, 10_000)
}

func (s *section) pixels(key string, otherwise int) int {
	return s.intWithin(key, otherwise, 1, 8192)
}

// steps reads the list of transforms.
func (s *section) steps(transform *value, use Use) []clip.Step {
	items, ok := transform.data.(list)
	if !ok {
		s.wrong("transform", "a list", transform)
		return nil
	}
	order := stepOrder{s: s, use: use}
	var steps []clip.Step
	for i := range items {
		name, inner := s.transform(i, items[i])
		if inner == nil {
			order.skipped = true
			continue
		}
		order.next(inner, name)
		if step, ok := inner.step(name); ok {
			order.sizes(inner, step)
			steps = append(steps, step)
		}
		inner.done()
	}
	order.end()
	return steps
}

// transform opens one item of the list: a mapping with the name as its only
// key, whose value may be empty.
func (s *section) transform(i int, item *value) (string, *section) {
	path := fmt.Sprintf("%s.%d", s.join("transform"), i)
	d, ok := item.data.(*dict)
	if !ok || len(d.keys) != 1 {
		s.d.failAt(item.where, path, "want one transform such as \"- RandomFlip:\", found %s", item.describe())
		return "", nil
	}
	name := d.keys[0]
	if !slices.Contains(transforms, name) {
		s.d.failAt(item.where, path, "%s", unsupported(name, transforms))
		return "", nil
	}
	inner := &section{d: s.d, path: path + "." + name, dict: newDict(), bad: map[string]bool{}}
	switch options := d.at[name].data.(type) {
	case nil:
	case *dict:
		inner.dict = options
	default:
		s.d.failAt(item.where, inner.path, "want a mapping of options or nothing, found %s", d.at[name].describe())
		return "", nil
	}
	return name, inner
}
