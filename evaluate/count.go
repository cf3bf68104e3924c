package evaluate

import (
	"errors"
	"iter"
)

// Count counts rows that a network scored earlier, as ReadDumps yields them.
// Where the metric does not say the number of classes the scores do.
func Count(rows iter.Seq2[Row, error], m Metric) (*Result, error) {
	var waiting []Row // that failed, before the number of classes is known
	var t *Tally
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, row)
		if m.Classes == 0 && row.Scores == nil {
			continue
		}
		if t == nil {
			m.Classes = max(m.Classes, len(row.Scores))
			if t, err = NewTally(m); err != nil {
				return nil, err
			}
		}
		for _, row := range waiting {
			if err := t.Add(row); err != nil {
				return nil, err
			}
		}
		waiting = waiting[:0]
	}
	switch {
	case t != nil:
		return t.Result()
	case len(waiting) > 0:
		return nil, errors.New("evaluate: no row has scores: the number of classes is not known")
	}
	return nil, ErrNoVideos
}
