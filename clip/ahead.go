package clip

import (
	"fmt"

	"github.com/pptsn/pptsn/frame"
)

// Ahead splits off what can be done to a picture before it is known which clips
// it belongs to: the scaling, where that is the first step. Load of pictures that
// scale returned with the rest is Load of the pictures themselves with s.
func (s Spec) Ahead() (scale func(*frame.RGB) (*frame.RGB, error), rest Spec) {
	if len(s.Steps) == 0 || s.Steps[0].Scale == nil {
		return func(m *frame.RGB) (*frame.RGB, error) { return m, nil }, s
	}
	first := s.Steps[0].Scale
	s.Steps = s.Steps[1:]
	return func(m *frame.RGB) (*frame.RGB, error) {
		v, err := first.apply([]view{whole(m)}, env{})
		if err != nil {
			return nil, fmt.Errorf("clip: %w", err)
		}
		return v[0].picture(), nil
	}, s
}
