package config

import "slices"

// A Metric is the section METRIC: how a test turns scores into accuracies.
type Metric struct {
	TopK        []int // accuracies to report; default 1 and 5
	LogInterval int   // batches between two log lines; default 1

	// ClipsPerVideo is how many rows of the list are clips of one video, whose
	// scores are summed: 1 for CenterCropMetric; for MultiCropMetric the product
	// of num_ensemble_views and num_spatial_crops.
	ClipsPerVideo int

	classes int // of MultiCropMetric: must be the model's
}

// Metric says how to score a test.
func (c *Config) Metric() (Metric, error) {
	if c.metric == nil {
		return Metric{}, c.missing("METRIC")
	}
	m := *c.metric
	m.TopK = slices.Clone(m.TopK)
	return m, nil
}

func (d *decoder) metric(s *section) *Metric {
	if s == nil {
		return nil
	}
	s.require("name")
	m := &Metric{TopK: []int{1, 5}, ClipsPerVideo: 1}
	if s.oneOf("name", "", "CenterCropMetric", "MultiCropMetric") == "MultiCropMetric" {
		s.require("num_ensemble_views", "num_spatial_crops", "num_classes")
		m.ClipsPerVideo = s.intWithin("num_ensemble_views", 1, 1, 1000) * s.intWithin("num_spatial_crops", 1, 1, 1000)
		m.classes = s.int("num_classes", 0)
	} else if topK := s.ints("topk"); topK != nil {
		m.TopK = topK
		s.check("topk", len(topK) > 0 && slices.Min(topK) > 0, "a list of integers from 1")
	}
	m.LogInterval = s.int("log_interval", 1)
	s.check("log_interval", m.LogInterval > 0, "at least 1")
	s.done()
	return m
}
