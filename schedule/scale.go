package schedule

// Times is the rate for a batch k times as large, by the linear scaling rule of
// Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 2: k times the
// rate. A warm-up still begins where it did, as there.
func (r LearningRate) Times(k float64) LearningRate {
	r.Constant *= k
	switch {
	case r.WarmupCosine != nil:
		w := *r.WarmupCosine
		w.Base *= k
		r.WarmupCosine = &w
	case r.Piecewise != nil:
		p := *r.Piecewise
		p.Values = make([]float64, len(r.Piecewise.Values))
		for i, v := range r.Piecewise.Values {
			p.Values[i] = k * v
		}
		r.Piecewise = &p
	case r.Cosine != nil:
		c := *r.Cosine
		c.Base *= k
		c.Min *= k
		r.Cosine = &c
	case r.LinearWarmup != nil:
		w := *r.LinearWarmup
		w.End *= k
		w.After = w.After.Times(k)
		r.LinearWarmup = &w
	}
	return r
}
