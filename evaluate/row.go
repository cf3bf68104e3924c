package evaluate

import (
	"errors"
	"fmt"
	"math"
)

// A Row is one line of a list and what the network says of it. Its JSON form is
// a line of a dump.
type Row struct {
	Row    int       `json:"row"`  // from 0, without the list's blank lines
	Line   int       `json:"line"` // of the list file, from 1
	File   string    `json:"file"`
	Label  int       `json:"label"`            // the true class, in [0, K)
	Scores []float32 `json:"scores,omitempty"` // [K] before softmax; nil if there is an Error
	Error  string    `json:"error,omitempty"`  // why the clip could not be read
}

// ErrNotNumbers reports scores that are NaN or infinite.
var ErrNotNumbers = errors.New("the network's scores are not numbers: its weights are damaged")

// check reports a row that does not fit a network of that many classes.
func (r Row) check(classes int) error {
	if r.Row < 0 {
		return fmt.Errorf("row %d: rows count from 0", r.Row)
	}
	if r.Label < 0 || r.Label >= classes {
		return fmt.Errorf("label %d, want 0 to %d", r.Label, classes-1)
	}
	if r.Error != "" {
		if r.Scores != nil {
			return errors.New("both scores and an error")
		}
		return nil
	}
	if len(r.Scores) != classes {
		return fmt.Errorf("%d scores for %d classes", len(r.Scores), classes)
	}
	for _, s := range r.Scores {
		if math.IsNaN(float64(s)) || math.IsInf(float64(s), 0) {
			return ErrNotNumbers
		}
	}
	return nil
}
