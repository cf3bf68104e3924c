package pptsn

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/clip"
)

// A Preset trades time for accuracy by the number of views of a video. What is
// not said here, such as sizes, stays as the model has it.
type Preset string

// The presets.
const (
	Fast     Preset = "fast"     // the centre of 8 frames
	Balanced Preset = "balanced" // the centre of 25 frames
	Accurate Preset = "accurate" // ten crops of 25 frames
)

// Apply returns a preprocessing changed as the preset says.
func (p Preset) Apply(s clip.Spec) (clip.Spec, error) {
	segments, ten := 25, false
	switch p {
	case Fast:
		segments = 8
	case Balanced:
	case Accurate:
		ten = true
	default:
		return s, fmt.Errorf("preset %q: want %s, %s or %s", string(p), Fast, Balanced, Accurate)
	}
	at := slices.IndexFunc(s.Steps, func(step clip.Step) bool { return step.CenterCrop != nil || step.TenCrop != nil })
	if at < 0 {
		return s, errors.New("a preset chooses between centre crop and ten crops: the preprocessing has neither")
	}
	s.Sampling.Segments = segments
	s.Steps = slices.Clone(s.Steps)
	crop := s.Steps[at]
	switch {
	case ten && crop.TenCrop == nil:
		s.Steps[at] = clip.Step{TenCrop: &clip.TenCrop{Size: crop.CenterCrop.Size}}
	case !ten && crop.CenterCrop == nil: // rounded, as the reference does by default
		s.Steps[at] = clip.Step{CenterCrop: &clip.CenterCrop{Size: crop.TenCrop.Size, Round: true}}
	}
	return s, nil
}

// apply changes the preprocessing and the network with it.
func (m *Model) apply(p Preset) error {
	spec, err := p.Apply(m.spec)
	if err != nil {
		return err
	}
	if err := spec.Validate(); err != nil {
		return err
	}
	h, w := spec.Size()
	g, err := withViews(m.bundle.Graph, spec.Views(), h, w)
	if err != nil {
		return fmt.Errorf("preset %s: %w", p, err)
	}
	m.spec, m.bundle.Graph = spec, g
	return nil
}
