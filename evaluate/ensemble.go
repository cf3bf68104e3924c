package evaluate

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
)

// ReadDumps yields the rows of dump files: of one as they are, of several the
// logarithm of the mean of their probabilities, which is an ensemble of the
// networks that made them. Those must be dumps of one list. A row that one
// network could not read has that error, behind the name of its dump.
func ReadDumps(paths ...string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var sources []source
		defer func() {
			for _, s := range sources {
				s.stop()
				s.file.Close()
			}
		}()
		for _, path := range paths {
			f, err := os.Open(path)
			if err != nil {
				yield(Row{}, fmt.Errorf("evaluate: dump: %w", err))
				return
			}
			next, stop := iter.Pull2(ReadDump(f))
			sources = append(sources, source{path, f, next, stop})
		}
		for {
			row, err := nextOf(sources)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Row{}, fmt.Errorf("evaluate: dump: %w", err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// A source is a dump that is being read.
type source struct {
	path string
	file *os.File
	next func() (Row, error, bool)
	stop func()
}

// nextOf takes one row of each source. It returns io.EOF where all end.
func nextOf(sources []source) (Row, error) {
	rows := make([]Row, 0, len(sources))
	var ended, longer string
	for _, s := range sources {
		row, err, ok := s.next()
		if err != nil {
			return Row{}, fmt.Errorf("%s: %w", s.path, err)
		}
		if !ok {
			ended = s.path
			continue
		}
		if row.Error != "" && len(sources) > 1 {
			row.Error = s.path + ": " + row.Error
		}
		rows, longer = append(rows, row), s.path
	}
	if len(rows) == 0 {
		return Row{}, io.EOF
	}
	if len(rows) < len(sources) {
		return Row{}, fmt.Errorf("%s has fewer rows than %s: dumps of one list are needed", ended, longer)
	}
	if err := alike(rows, sources); err != nil {
		return Row{}, err
	}
	return average(rows), nil
}

// alike reports rows of different clips or numbers of classes.
func alike(rows []Row, sources []source) error {
	a := rows[0]
	for i, r := range rows[1:] {
		if r.Row != a.Row || r.File != a.File || r.Label != a.Label {
			return fmt.Errorf("row %d is %s of class %d in %s, but row %d is %s of class %d in %s: dumps of one list are needed",
				a.Row, a.File, a.Label, sources[0].path, r.Row, r.File, r.Label, sources[i+1].path)
		}
		if a.Scores != nil && r.Scores != nil && len(r.Scores) != len(a.Scores) {
			return fmt.Errorf("%d classes in %s, %d in %s", len(a.Scores), sources[0].path, len(r.Scores), sources[i+1].path)
		}
	}
	return nil
}

// average is ln(mean(softmax(scores))), computed from logarithms so that no
// small probability becomes 0. One row is returned as it is.
func average(rows []Row) Row {
	mean := rows[0]
	if len(rows) == 1 {
		return mean
	}
	logs := make([][]float64, len(rows)) // of the probabilities
	for i, r := range rows {
		if r.Error != "" {
			mean.Error, mean.Scores = r.Error, nil
			return mean
		}
		logs[i] = make([]float64, len(r.Scores))
		for j, s := range r.Scores {
			logs[i][j] = float64(s)
		}
		sum := logSumExp(logs[i])
		for j := range logs[i] {
			logs[i][j] -= sum
		}
	}
	mean.Scores = make([]float32, len(logs[0]))
	column := make([]float64, len(rows))
	for j := range mean.Scores {
		for i := range rows {
			column[i] = logs[i][j]
		}
		mean.Scores[j] = float32(logSumExp(column) - math.Log(float64(len(rows))))
	}
	return mean
}
