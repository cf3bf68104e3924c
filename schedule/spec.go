package schedule

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A LearningRate is a function of training's progress; exactly one pointer is
// set, or none and Constant holds.
type LearningRate struct {
	Constant     float64
	WarmupCosine *WarmupCosine
	Piecewise    *Piecewise
	Cosine       *Cosine
	LinearWarmup *LinearWarmup
}

// WarmupCosine is CustomWarmupCosineDecay: it advances every iteration, by
// 1/iterations of an epoch.
type WarmupCosine struct {
	Start        float64 // rate at the beginning
	WarmupEpochs float64 // the rate grows linearly until then, to what the cosine is there
	Base         float64 // height of the cosine
	Epochs       float64 // where the cosine ends at 0
}

// Piecewise holds Values[i] until Boundaries[i] is reached, then the next.
type Piecewise struct {
	Boundaries   []int     // ascending; epochs, or iterations with PerIteration
	Values       []float64 // one more than Boundaries
	PerIteration bool      // CustomPiecewiseDecay
}

// Cosine is CosineAnnealingDecay; it advances every epoch.
type Cosine struct {
	Base   float64
	Period int     // epochs from Base to Min
	Min    float64 // lowest rate
}

// LinearWarmup goes from Start to End in Epochs, then follows After, whose
// progress counts from there. It advances every epoch, and so must After.
type LinearWarmup struct {
	Epochs     int
	Start, End float64
	After      LearningRate
}

// Iterates says that the rate advances every iteration, else it does every
// epoch.
func (r LearningRate) Iterates() bool {
	return r.WarmupCosine != nil || r.Piecewise != nil && r.Piecewise.PerIteration
}

// check reports a specification that describes no rate.
func (r LearningRate) check() error {
	set := 0
	for _, given := range []bool{r.WarmupCosine != nil, r.Piecewise != nil, r.Cosine != nil, r.LinearWarmup != nil} {
		if given {
			set++
		}
	}
	switch {
	case set > 1:
		return errors.New("several learning rates are given: want one")
	case r.WarmupCosine != nil:
		return r.WarmupCosine.check()
	case r.Piecewise != nil:
		return r.Piecewise.check()
	case r.Cosine != nil:
		return r.Cosine.check()
	case r.LinearWarmup != nil:
		return r.LinearWarmup.check()
	}
	return rates("constant rate", r.Constant)
}

func (w *WarmupCosine) check() error {
	if !(w.Epochs > 0) || math.IsInf(w.Epochs, 0) {
		return fmt.Errorf("cosine of %v epochs: want more than 0", w.Epochs)
	}
	if !(w.WarmupEpochs >= 0) || w.WarmupEpochs > w.Epochs {
		return fmt.Errorf("warm-up of %v epochs: want from 0 to all %v", w.WarmupEpochs, w.Epochs)
	}
	return rates("warm-up and cosine", w.Start, w.Base)
}

func (p *Piecewise) check() error {
	if len(p.Values) != len(p.Boundaries)+1 {
		return fmt.Errorf("%d values for %d boundaries: want one value more", len(p.Values), len(p.Boundaries))
	}
	if !slices.IsSorted(p.Boundaries) {
		return fmt.Errorf("boundaries %v: want them ascending", p.Boundaries)
	}
	return rates("piecewise", p.Values...)
}

func (c *Cosine) check() error {
	if c.Period < 1 {
		return fmt.Errorf("cosine of %d epochs: want at least 1", c.Period)
	}
	return rates("cosine", c.Base, c.Min)
}

func (w *LinearWarmup) check() error {
	switch a := w.After; {
	case w.Epochs < 1:
		return fmt.Errorf("linear warm-up of %d epochs: want at least 1", w.Epochs)
	case a.LinearWarmup != nil, a.Iterates():
		return errors.New("after a linear warm-up: want a constant, or a schedule that advances every epoch without a warm-up of its own")
	}
	if err := rates("linear warm-up", w.Start, w.End); err != nil {
		return err
	}
	return w.After.check()
}

func rates(what string, values ...float64) error {
	for _, v := range values {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("%s: rate %v: want a finite number of at least 0", what, v)
		}
	}
	return nil
}
