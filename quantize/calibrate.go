package quantize

import (
	"context"
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/tensor"
)

// maxRemembered is how many views are remembered to measure errors with.
const maxRemembered = 256

// A calibration is what was seen on real clips.
type calibration struct {
	counts  map[string]*histogram // of each value that may be held in 8 bits
	samples []sample              // some of the clips
	views   int                   // of all samples
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
	x, results := j.net.sample(l.clip, j.Views), rows{}
	for part := range pieces(x) {
		values, err := run.run(ctx, part)
		if err == nil {
			err = c.add(values)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", l.Path, err)
		}
		results.add(j.net, values)
	}
	if c.views += x.Shape[0]; c.views > maxRemembered && len(c.samples) > 0 {
		return nil
	}
	scores, err := j.net.scores(results)
	c.samples = append(c.samples, sample{x, scores})
	return err
}

// add counts the values of some views, [R, ...] each.
func (c *calibration) add(values map[string]*tensor.Dense) error {
	for name, h := range c.counts {
		v := values[name]
		for view := range slices.Chunk(v.Float32s(), v.Len()/v.Shape[0]) {
			if err := h.add(view); err != nil {
				return fmt.Errorf("%s: %w: the weights are damaged", name, err)
			}
		}
	}
	return nil
}
