package evaluate

import "fmt"

// A Metric says how rows become accuracies.
type Metric struct {
	Classes int      // K > 0
	Names   []string // of the classes, [K], or nil
	TopK    []int    // which accuracies, from 1; nil means 1 and 5

	// ClipsPerVideo rows in succession belong to one video: row/ClipsPerVideo
	// is the video's number, and their scores are summed (MultiCropMetric).
	// 0 means 1: each row is a video (CenterCropMetric).
	ClipsPerVideo int

	Worst int // how many of the worst videos to name
}

// settle fills in what is left out.
func (m Metric) settle() (Metric, error) {
	if m.TopK == nil {
		m.TopK = []int{1, 5}
	}
	m.ClipsPerVideo = max(m.ClipsPerVideo, 1)
	if m.Classes < 1 {
		return m, fmt.Errorf("%d classes: want at least 1", m.Classes)
	}
	if m.Names != nil && len(m.Names) != m.Classes {
		return m, fmt.Errorf("%d names for %d classes", len(m.Names), m.Classes)
	}
	for _, k := range m.TopK {
		if k < 1 {
			return m, fmt.Errorf("top-%d accuracy: want at least top-1", k)
		}
	}
	return m, nil
}

// name of a class; "" where none is known.
func (m Metric) name(class int) string {
	if m.Names == nil {
		return ""
	}
	return m.Names[class]
}
