package quantize

import (
	"context"
	"fmt"

	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

// maxRemembered is how many samples are remembered to measure errors with.
const maxRemembered = 64

// A calibration is what was seen on real clips.
type calibration struct {
	counts  map[string]*histogram // of each value that may be held in 8 bits
	samples []sample              // some of the clips
}

func newCalibration(values []string) *calibration {
	c := &calibration{counts: map[string]*histogram{}}
	for _, v := range values {
		c.counts[v] = &histogram{}
	}
	return c
}

// A sample is some views of a clip and the network's scores for them in float32.
type sample struct {
	views  *tensor.Dense
	scores []float32
}

// calibrate runs the network on the clips in float32 and counts the values.
func (j *job) calibrate(ctx context.Context, values []string) (*calibration, error) {
	run, err := open(j.net.body, j.net.w, onednn.Options{Threads: j.Threads}, values...)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	c := newCalibration(values)
	_, err = j.each(ctx, "calibrate", j.Calibrate, func(l loaded) error { return j.count(ctx, c, run, l) })
	return c, err
}

func (j *job) count(ctx context.Context, c *calibration, run *runner, l loaded) error {
	x := j.net.sample(l.clip, j.Views)
	got, err := run.run(ctx, x)
	if err != nil {
		return err
	}
	if err := c.add(got); err != nil {
		return fmt.Errorf("%s: %w", l.Path, err)
	}
	if len(c.samples) == maxRemembered {
		return nil
	}
	scores, err := j.net.scores(got)
	c.samples = append(c.samples, sample{x, scores})
	return err
}

// add counts values.
func (c *calibration) add(values map[string]*tensor.Dense) error {
	for name, h := range c.counts {
		if err := h.add(values[name].Float32s()); err != nil {
			return fmt.Errorf("%s: %w: the weights are damaged", name, err)
		}
	}
	return nil
}
