package evaluate

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// A Result is how well a network did. Shares are in [0, 1].
type Result struct {
	Videos     int `json:"videos"`               // that were counted, the failed ones too
	Repeated   int `json:"repeated,omitempty"`   // rows that came a second time and were ignored
	Incomplete int `json:"incomplete,omitempty"` // videos left out because some of their rows are missing

	Top               []Accuracy `json:"top"`                 // in the metric's order
	MeanClassAccuracy float64    `json:"mean_class_accuracy"` // of top-1, over the classes that have videos
	MeanLoss          float64    `json:"mean_loss"`           // cross entropy without smoothing, over the videos that could be read; 0 if none could

	Classes []Class `json:"classes"` // [K]
	Worst   []Video `json:"worst"`   // largest loss first, of those that could be read
	Failed  []Video `json:"failed"`  // could not be read and count as wrong, in the list's order

	// Confusion[i][j] counts the videos of class i that were taken for class j,
	// of those that could be read. [K][K]
	Confusion [][]int `json:"-"`
}

// An Accuracy is a top-k accuracy.
type Accuracy struct {
	K        int     `json:"k"`       // as asked for
	Used     int     `json:"used_k"`  // K, or the number of classes where that is smaller
	Correct  int     `json:"correct"` // videos whose class is among the first Used
	Accuracy float64 `json:"accuracy"`
	Low      float64 `json:"low"` // 95 % confidence interval (Wilson)
	High     float64 `json:"high"`
}

// A Class is one row of the table.
type Class struct {
	Class    int     `json:"class"`
	Name     string  `json:"name,omitempty"`
	Videos   int     `json:"videos"`   // failed ones too
	Correct  int     `json:"correct"`  // top-1
	Accuracy float64 `json:"accuracy"` // 0 where there is no video

	Confused      int `json:"confused"`       // videos taken for ConfusedClass, the most frequent wrong answer
	ConfusedClass int `json:"confused_class"` // -1 where no answer was wrong; the lower of two equally frequent
}

// A Video is one that was counted.
type Video struct {
	Row         int     `json:"row"` // as in Row; of several the first one met, or the one that failed
	Line        int     `json:"line"`
	File        string  `json:"file"`
	Label       int     `json:"label"`
	Predicted   int     `json:"predicted"`   // -1 for one that failed
	Probability float64 `json:"probability"` // softmax of the true class
	Loss        float64 `json:"loss"`        // -ln(Probability)
	Error       string  `json:"error,omitempty"`
}

// ErrNoVideos is returned where nothing was counted.
var ErrNoVideos = errors.New("evaluate: no videos to count")

// Result sums up the complete videos.
func (t *Tally) Result() (*Result, error) {
	entries := t.complete()
	if len(entries) == 0 {
		return nil, ErrNoVideos
	}
	r := &Result{Videos: len(entries), Repeated: t.repeated, Incomplete: len(t.videos) - len(entries), Worst: []Video{}, Failed: []Video{}}
	r.Top = accuracies(t.metric, entries)
	r.Confusion = confusion(t.metric.Classes, entries)
	r.classes(t.metric, entries)
	r.videos(entries, t.metric.Worst)
	return r, nil
}

func accuracies(m Metric, entries []*entry) []Accuracy {
	top := make([]Accuracy, len(m.TopK))
	for i, k := range m.TopK {
		a := Accuracy{K: k, Used: min(k, m.Classes)}
		for _, e := range entries {
			if e.Error == "" && e.rank < k {
				a.Correct++
			}
		}
		a.Accuracy = float64(a.Correct) / float64(len(entries))
		a.Low, a.High = wilson(a.Correct, len(entries))
		top[i] = a
	}
	return top
}

func confusion(classes int, entries []*entry) [][]int {
	counts := make([][]int, classes)
	for _, e := range entries {
		if e.Error != "" {
			continue
		}
		if counts[e.Label] == nil {
			counts[e.Label] = make([]int, classes)
		}
		counts[e.Label][e.Predicted]++
	}
	none := make([]int, classes) // shared: thousands of classes may have no video
	for i, row := range counts {
		if row == nil {
			counts[i] = none
		}
	}
	return counts
}

func (r *Result) classes(m Metric, entries []*entry) {
	r.Classes = make([]Class, m.Classes)
	for _, e := range entries {
		r.Classes[e.Label].Videos++
	}
	shares, with := 0.0, 0
	for i := range r.Classes {
		c := &r.Classes[i]
		c.Class, c.Name, c.ConfusedClass = i, m.name(i), -1
		if c.Videos == 0 {
			continue
		}
		c.Correct = r.Confusion[i][i]
		c.Accuracy = float64(c.Correct) / float64(c.Videos)
		for j, n := range r.Confusion[i] {
			if j != i && n > c.Confused {
				c.Confused, c.ConfusedClass = n, j
			}
		}
		shares += c.Accuracy
		with++
	}
	r.MeanClassAccuracy = shares / float64(with)
}

// videos names the failed and the worst ones, and averages the loss.
func (r *Result) videos(entries []*entry, worst int) {
	read := []Video{}
	sum := 0.0
	for _, e := range entries {
		if e.Error != "" {
			r.Failed = append(r.Failed, e.Video)
			continue
		}
		e.Probability = math.Exp(-e.Loss)
		sum += e.Loss
		read = append(read, e.Video)
	}
	if len(read) > 0 {
		r.MeanLoss = sum / float64(len(read))
	}
	slices.SortStableFunc(read, func(a, b Video) int { return cmp.Compare(b.Loss, a.Loss) })
	r.Worst = append(r.Worst, read[:min(worst, len(read))]...)
}
