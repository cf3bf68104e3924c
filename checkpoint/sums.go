package checkpoint

// Sums are the running sums of an epoch, of which its averages are made. A
// checkpoint within an epoch carries them, so that the line at the epoch's end
// is the same after a resume.
type Sums struct {
	Loss   Sum `json:"loss"` // weighted by clips, as Top1 and Top5
	Top1   Sum `json:"top1"`
	Top5   Sum `json:"top5"`
	Batch  Sum `json:"batch_seconds"`  // wall time of a batch with its wait; weight 1
	Reader Sum `json:"reader_seconds"` // wait for the batch; weight 1
	Clips  int `json:"clips"`
}

// A Sum is a weighted sum and the sum of the weights.
type Sum struct {
	Total  float64 `json:"total"`
	Weight float64 `json:"weight"`
}

// Add adds a value.
func (s *Sum) Add(v, weight float64) {
	s.Total += v * weight
	s.Weight += weight
}

// Mean is the weighted mean, 0 of nothing.
func (s Sum) Mean() float64 {
	if s.Weight == 0 {
		return 0
	}
	return s.Total / s.Weight
}
