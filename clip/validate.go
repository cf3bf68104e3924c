package clip

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
)

// ParseSpec reads a specification as JSON. A key that Spec does not have is an
// error, as is whatever Validate refuses.
func ParseSpec(b []byte) (Spec, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var s Spec
	if err := d.Decode(&s); err != nil {
		return Spec{}, fmt.Errorf("clip: specification: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Spec{}, errors.New("clip: specification: more than one JSON value")
	}
	if err := s.Validate(); err != nil {
		return Spec{}, err
	}
	return s, nil
}

// Validate reports a specification that cannot work, whatever the video: an
// unknown mode or backend, a value out of range, a step that sets no operation
// or several, Normalize anywhere but at the end, more than one TenCrop, a crop
// larger than the picture an earlier step leaves.
func (s Spec) Validate() error {
	_, err := s.predict()
	return err
}

// Views is V, the number of views of one clip: 1 a segment, or 10 with TenCrop.
// The specification must be valid.
func (s Spec) Views() int {
	k, err := s.predict()
	if err != nil {
		panic(err)
	}
	return k.views
}

// Size is the height and width of the views in pixels; both are 0 if they
// depend on the video, for want of a crop. The specification must be valid.
func (s Spec) Size() (h, w int) {
	k, err := s.predict()
	if err != nil {
		panic(err)
	}
	return k.size.Y, k.size.X
}

// Random says whether the specification leaves anything to chance, so that
// Load needs a source of random numbers.
func (s Spec) Random() bool {
	random := s.Sampling.Random
	for _, step := range s.Steps {
		random = random || step.MultiScaleCrop != nil || step.RandomFlip != nil
	}
	return random
}

// known is what steps leave behind, as far as it is the same for every video.
type known struct {
	views int
	short int         // shorter side, pixels; 0 if it depends on the video
	size  image.Point // zero if it depends on the video
}

// crop is what a square crop leaves.
func (k known) crop(step string, size int) (known, error) {
	if k.short > 0 && k.short < size {
		return k, fmt.Errorf("%s: a crop of %dx%d does not fit in pictures whose shorter side is %d", step, size, size, k.short)
	}
	k.short, k.size = size, image.Pt(size, size)
	return k, nil
}

// env is what steps may use beside the pictures.
type env struct {
	rng     *rand.Rand
	workers int
}

// An operation is what a Step does.
type operation interface {
	name() string
	validate() error
	predict(known) (known, error)              // without a video
	apply(views []view, e env) ([]view, error) // with one
}

func (s Spec) predict() (known, error) {
	k := known{views: s.Sampling.Segments}
	if err := s.Sampling.validate(); err != nil {
		return k, fmt.Errorf("clip: sampling: %w", err)
	}
	crops := 0
	for i, step := range s.Steps {
		op, err := step.operation()
		if err != nil {
			return k, fmt.Errorf("clip: step %d: %w", i+1, err)
		}
		if err := op.validate(); err != nil {
			return k, fmt.Errorf("clip: step %d: %s: %w", i+1, op.name(), err)
		}
		if k, err = op.predict(k); err != nil {
			return k, fmt.Errorf("clip: step %d: %w", i+1, err)
		}
		if step.Normalize != nil && i < len(s.Steps)-1 {
			return k, fmt.Errorf("clip: step %d: normalize must be the last step", i+1)
		}
		if step.TenCrop != nil {
			crops++
		}
	}
	if len(s.Steps) == 0 || s.Steps[len(s.Steps)-1].Normalize == nil {
		return k, errors.New("clip: the last step must be normalize")
	}
	if crops > 1 {
		return k, errors.New("clip: more than one ten_crop")
	}
	return k, nil
}

func (s Step) operation() (operation, error) {
	var set []operation
	if s.Scale != nil {
		set = append(set, s.Scale)
	}
	if s.MultiScaleCrop != nil {
		set = append(set, s.MultiScaleCrop)
	}
	if s.CenterCrop != nil {
		set = append(set, s.CenterCrop)
	}
	if s.TenCrop != nil {
		set = append(set, s.TenCrop)
	}
	if s.RandomFlip != nil {
		set = append(set, s.RandomFlip)
	}
	if s.Normalize != nil {
		set = append(set, s.Normalize)
	}
	if len(set) != 1 {
		return nil, fmt.Errorf("%d operations in one step: want exactly one", len(set))
	}
	return set[0], nil
}
