package main

// A comparison sets a variant beside another on the seeds that both have.
type comparison struct {
	Differences []float64 // of the accuracies, one a seed, in points
	Won, Lost   int       // clips that only the variant, only the other got right
}

// A way of testing: which answer of a clip counts.
type way func(shot) int

func byCenter(s shot) int  { return s.Center }
func byTenCrop(s shot) int { return s.TenCrop }

func accuracy(r *record, w way) float64 {
	right := 0
	for _, s := range r.Clips {
		if w(s) == s.Label {
			right++
		}
	}
	return 100 * float64(right) / float64(len(r.Clips))
}

// accuracies are in percent, one a seed.
func accuracies(runs []*record, w way) []float64 {
	var list []float64
	for _, r := range runs {
		list = append(list, accuracy(r, w))
	}
	return list
}

// compare pairs runs of one seed, and in them clips of one name.
func compare(runs []*record, w way, others []*record, ow way) comparison {
	bySeed := map[int]*record{}
	for _, r := range others {
		bySeed[r.Seed] = r
	}
	var c comparison
	for _, r := range runs {
		if other := bySeed[r.Seed]; other != nil {
			c.Differences = append(c.Differences, accuracy(r, w)-accuracy(other, ow))
			c.count(r, w, other, ow)
		}
	}
	return c
}

func (c *comparison) count(r *record, w way, other *record, ow way) {
	right := map[string]bool{}
	for _, s := range other.Clips {
		right[s.File] = ow(s) == s.Label
	}
	for _, s := range r.Clips {
		before, both := right[s.File]
		if now := w(s) == s.Label; both && now != before {
			if now {
				c.Won++
			} else {
				c.Lost++
			}
		}
	}
}
