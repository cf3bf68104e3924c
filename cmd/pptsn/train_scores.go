package main

import (
	"fmt"
	"strings"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/evaluate"
)

// scoresOf reads the scores [K] of each clip of a list from dumps, whose rows
// must be those of the list.
func scoresOf(files []string, set *dataset.Set, list string, classes int) ([][]float32, error) {
	all := strings.Join(files, ", ") // have the same rows
	r := scoreReader{set: set, list: list, classes: classes, scores: make([][]float32, 0, set.Len())}
	for row, err := range evaluate.ReadDumps(files...) {
		if err != nil {
			return nil, err
		}
		if err := r.add(row); err != nil {
			return nil, fmt.Errorf("%s: %w", all, err)
		}
	}
	if n := len(r.scores); n < set.Len() {
		return nil, fmt.Errorf("%s: rows of %d clips, but %s has %d", all, n, list, set.Len())
	}
	return r.scores, nil
}

// A scoreReader compares rows with a list.
type scoreReader struct {
	set     *dataset.Set
	list    string
	classes int
	scores  [][]float32
}

func (r *scoreReader) add(row evaluate.Row) error {
	i := len(r.scores)
	if i == r.set.Len() {
		return fmt.Errorf("more rows than %s has clips, %d", r.list, i)
	}
	s := r.set.Sample(i)
	switch {
	case row.Row != i || row.File != s.Name || row.Label != s.Label:
		return fmt.Errorf("row %d is %s of class %d, but %s:%d is %s of class %d", row.Row, row.File, row.Label, r.list, s.Line, s.Name, s.Label)
	case row.Error != "":
		return fmt.Errorf("row %d, %s, has no scores: %s", i, row.File, row.Error)
	case len(row.Scores) != r.classes:
		return fmt.Errorf("row %d, %s, has scores for %d classes, but num_classes of the student is %d", i, row.File, len(row.Scores), r.classes)
	}
	r.scores = append(r.scores, row.Scores)
	return nil
}
