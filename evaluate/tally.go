package evaluate

import (
	"fmt"
	"slices"
)

// A Tally counts rows in any order. Scores are forgotten once a video is
// complete, so memory grows with the number of videos, not with their scores.
type Tally struct {
	metric   Metric
	videos   map[int]*entry
	repeated int
}

// An entry is a video some of whose rows may be missing.
type entry struct {
	Video
	rank int // of the label; classes before it

	sum     []float64 // [K] over the rows so far; nil when complete
	seen    []bool    // [ClipsPerVideo]; nil when complete
	missing int
}

// NewTally begins to count.
func NewTally(m Metric) (*Tally, error) {
	m, err := m.settle()
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	return &Tally{metric: m, videos: map[int]*entry{}}, nil
}

// Add counts a row. One that was there before is ignored, as loaders on several
// devices repeat some to fill their last batch. A video of which one row could
// not be read counts as wrong.
func (t *Tally) Add(r Row) error {
	if err := t.add(r); err != nil {
		return fmt.Errorf("evaluate: %s: %w", r.File, err)
	}
	return nil
}

func (t *Tally) add(r Row) error {
	if err := r.check(t.metric.Classes); err != nil {
		return err
	}
	n := t.metric.ClipsPerVideo
	id, part := r.Row/n, r.Row%n
	e, ok := t.videos[id]
	switch {
	case !ok:
		e = &entry{Video: Video{Row: r.Row, File: r.File, Line: r.Line, Label: r.Label}, seen: make([]bool, n), missing: n}
		t.videos[id] = e
	case e.missing == 0 || e.seen[part]:
		t.repeated++
		return nil
	case e.Label != r.Label:
		return fmt.Errorf("label %d, but %s is of the same video and has %d (METRIC says that %d rows in succession are one video)", r.Label, e.File, e.Label, n)
	}
	e.seen[part] = true
	e.missing--
	e.add(r, t.metric.Classes)
	if e.missing == 0 {
		e.finish(n)
	}
	return nil
}

func (e *entry) add(r Row, classes int) {
	if r.Error != "" {
		if e.Error == "" {
			e.File, e.Line, e.Error = r.File, r.Line, r.Error
		}
		return
	}
	if e.sum == nil {
		e.sum = make([]float64, classes)
	}
	for i, s := range r.Scores {
		e.sum[i] += float64(s)
	}
}

// finish turns the sum of n rows into what is kept.
func (e *entry) finish(n int) {
	if e.Error != "" {
		e.Predicted = -1
	} else {
		e.Predicted, e.rank = best(e.sum), rank(e.sum, e.Label)
		for i := range e.sum {
			e.sum[i] /= float64(n) // the mean ranks as the sum does and is no surer than its rows
		}
		e.Loss = crossEntropy(e.sum, e.Label)
	}
	e.sum, e.seen = nil, nil
}

// complete are the videos of which all rows were there, in the list's order.
func (t *Tally) complete() []*entry {
	ids := make([]int, 0, len(t.videos))
	for id, e := range t.videos {
		if e.missing == 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	entries := make([]*entry, len(ids))
	for i, id := range ids {
		entries[i] = t.videos[id]
	}
	return entries
}
