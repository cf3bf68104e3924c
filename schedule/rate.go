package schedule

import "math"

// The products are converted to float64 where a sum follows, which keeps the
// compiler from fusing the two: the reference rounds twice.

func (w *WarmupCosine) at(position float64) float64 {
	if position >= w.WarmupEpochs {
		return w.cosine(position)
	}
	slope := (w.cosine(w.WarmupEpochs) - w.Start) / w.WarmupEpochs
	return float64(position*slope) + w.Start
}

func (w *WarmupCosine) cosine(position float64) float64 {
	return w.Base * (math.Cos(math.Pi*position/w.Epochs) + 1) * 0.5
}

func (p *Piecewise) at(step int) float64 {
	for i, b := range p.Boundaries {
		if step < b {
			return p.Values[i]
		}
	}
	return p.Values[len(p.Boundaries)]
}

// next is the rate in an epoch from the one before. The reference computes it
// so, except after a warm-up (see at).
func (c *Cosine) next(epoch int, last float64) float64 {
	period := float64(c.Period)
	if (epoch-1-c.Period)%(2*c.Period) == 0 { // leaving the lowest point, where the quotient below is 0/0
		return last + float64((c.Base-c.Min)*(1-math.Cos(math.Pi/period))/2)
	}
	ratio := (1 + math.Cos(math.Pi*float64(epoch)/period)) / (1 + math.Cos(math.Pi*float64(epoch-1)/period))
	return float64(ratio*(last-c.Min)) + c.Min
}

// at is the rate in an epoch in closed form.
func (c *Cosine) at(epoch int) float64 {
	return c.Min + float64((c.Base-c.Min)*(1+math.Cos(math.Pi*float64(epoch)/float64(c.Period)))/2)
}

func (w *LinearWarmup) at(epoch int) float64 {
	if epoch < w.Epochs {
		return float64((w.End-w.Start)*float64(epoch)/float64(w.Epochs)) + w.Start
	}
	return w.After.after(epoch - w.Epochs)
}

// after is the rate that many epochs past a warm-up.
func (r LearningRate) after(epoch int) float64 {
	switch {
	case r.Piecewise != nil:
		return r.Piecewise.at(epoch)
	case r.Cosine != nil:
		return r.Cosine.at(epoch)
	}
	return r.Constant
}
