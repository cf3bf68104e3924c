package config

import (
	"github.com/pptsn/pptsn/clip"
)

// The reference's names of the steps.
var transforms = []string{"Scale", "MultiScaleCrop", "CenterCrop", "TenCrop", "RandomFlip", "Image2Array", "Normalization"}

// step reads the options of one transform. Image2Array gives no step: it is
// implied by Normalize.
func (s *section) step(name string) (clip.Step, bool) {
	switch name {
	case "Scale":
		return clip.Step{Scale: s.scale()}, true
	case "MultiScaleCrop":
		return clip.Step{MultiScaleCrop: s.multiScaleCrop()}, true
	case "CenterCrop":
		s.require("target_size")
		crop := &clip.CenterCrop{Size: s.pixels("target_size", 0), Round: s.bool("do_round", true)}
		s.only("backend", "frames are pictures until Image2Array", "pillow")
		return clip.Step{CenterCrop: crop}, true
	case "TenCrop":
		s.require("target_size")
		return clip.Step{TenCrop: &clip.TenCrop{Size: s.pixels("target_size", 0)}}, true
	case "RandomFlip":
		flip := &clip.RandomFlip{Probability: s.float("p", 0.5)}
		s.check("p", flip.Probability >= 0 && flip.Probability <= 1, "a probability from 0 to 1")
		return clip.Step{RandomFlip: flip}, true
	case "Normalization":
		return clip.Step{Normalize: s.normalize()}, true
	}
	s.only("transpose", "the network takes channels first", true)
	s.only("data_format", "the network takes frames first", "tchw")
	return clip.Step{}, false
}

func (s *section) scale() *clip.Scale {
	s.require("short_size")
	scale := &clip.Scale{
		ShortSide:  s.pixels("short_size", 0),
		FixedRatio: s.bool("fixed_ratio", true),
		Round:      s.bool("do_round", false),
		Backend:    s.backend(),
	}
	s.only("keep_ratio", "fixed_ratio True gives 4:3, False keeps the shape")
	return scale
}

func (s *section) backend() clip.Backend {
	if s.oneOf("backend", "pillow", "pillow", "cv2") == "cv2" {
		return clip.OpenCV
	}
	return clip.Pillow
}

func (s *section) multiScaleCrop() *clip.MultiScaleCrop {
	s.require("target_size")
	crop := &clip.MultiScaleCrop{
		Size:             s.pixels("target_size", 0),
		Scales:           s.floats("scales"),
		MaxDistort:       s.int("max_distort", 1),
		FixedPositions:   s.bool("fix_crop", true),
		AllowDuplication: s.bool("allow_duplication", false),
		MorePositions:    s.bool("more_fix_crop", true),
		Backend:          s.backend(),
	}
	if len(crop.Scales) == 0 {
		crop.Scales = []float64{1, .875, .75, .66}
	}
	s.check("max_distort", crop.MaxDistort >= 0, "at least 0")
	s.check("scales", len(crop.Scales) <= 100, "at most 100 scales")
	for _, scale := range crop.Scales {
		s.check("scales", scale > 0 && scale <= 1, "shares of the short side, above 0 and at most 1")
	}
	return crop
}

func (s *section) normalize() *clip.Normalize {
	s.require("mean", "std")
	n := &clip.Normalize{Mean: s.channels("mean"), Std: s.channels("std")}
	for _, std := range n.Std {
		s.check("std", std > 0, "numbers above 0")
	}
	s.only("tensor_shape", "the network takes channels first", []float64{3, 1, 1})
	s.only("inplace", "frames are divided by 255 first", false)
	return n
}

// channels reads a number for each of red, green and blue.
func (s *section) channels(key string) (rgb [3]float32) {
	numbers := s.floats(key)
	s.check(key, len(numbers) == 3, "3 numbers: red, green, blue")
	for i := range min(3, len(numbers)) {
		rgb[i] = float32(numbers[i])
	}
	return rgb
}

// stepOrder checks that the steps of a pipeline fit together.
type stepOrder struct {
	s     *section
	use   Use
	short int // short side of the frames in pixels, 0 where it is not known

	cropped, array, normalized bool
	skipped                    bool // an item was reported: what is missing may be in there
}

// next looks at the name of a step.
func (o *stepOrder) next(s *section, name string) {
	fail := func(format string, args ...any) { s.d.fail(s.path, format, args...) }
	switch {
	case o.normalized:
		fail("stands after Normalization, which must be last")
	case name == "Normalization" && !o.array && !o.skipped:
		fail("needs Image2Array before it")
	case o.array && name != "Normalization":
		fail("stands after Image2Array: only Normalization may")
	case o.use != Train && (name == "MultiScaleCrop" || name == "RandomFlip"):
		fail("is random: not for %s", o.use)
	}
	o.array = o.array || name == "Image2Array"
	o.normalized = o.normalized || name == "Normalization"
}

// sizes follows the short side through the steps.
func (o *stepOrder) sizes(s *section, step clip.Step) {
	size := 0
	switch {
	case step.Scale != nil:
		o.short = step.Scale.ShortSide
		return
	case step.MultiScaleCrop != nil: // resizes what it cuts
		o.short, o.cropped = step.MultiScaleCrop.Size, true
		return
	case step.CenterCrop != nil:
		size = step.CenterCrop.Size
	case step.TenCrop != nil:
		size = step.TenCrop.Size
	default:
		return
	}
	if o.short > 0 && size > o.short {
		s.d.misfit(o.use, s.join("target_size"), "cuts %d pixels from frames whose short side is %d", size, o.short)
	}
	o.short, o.cropped = size, true
}

// end reports what the whole list lacks.
func (o *stepOrder) end() {
	if o.skipped {
		return
	}
	if !o.cropped {
		o.s.fail("transform", "no crop: frames of different shapes do not make a batch")
	}
	if !o.normalized {
		o.s.fail("transform", "no Normalization at the end")
	}
}
