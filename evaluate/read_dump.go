package evaluate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Limits of dumps, which may come from elsewhere.
const (
	maxLine    = 4 << 20 // bytes; the scores of maxClasses need about half of it
	maxClasses = 1 << 17
)

// ReadDump yields the rows of a dump. All must have scores for as many classes.
// An error names the line and is the last that is yielded.
func ReadDump(r io.Reader) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(nil, maxLine)
		d := dumpReader{}
		for number := 1; s.Scan(); number++ {
			if len(bytes.TrimSpace(s.Bytes())) == 0 {
				continue
			}
			row, err := d.row(s.Bytes())
			if err != nil {
				yield(Row{}, fmt.Errorf("line %d: %w", number, err))
				return
			}
			if d.classes > 0 && d.first == 0 {
				d.first = number
			}
			if !yield(row, nil) {
				return
			}
		}
		switch err := s.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(Row{}, fmt.Errorf("a line of more than %d bytes: not a dump of scores", maxLine))
		case err != nil:
			yield(Row{}, err)
		}
	}
}

// A dumpReader remembers the number of classes.
type dumpReader struct {
	classes int // 0 until a row has scores
	first   int // the line that said so
}

func (d *dumpReader) row(line []byte) (Row, error) {
	j := json.NewDecoder(bytes.NewReader(line))
	j.DisallowUnknownFields()
	row := Row{Row: -1, Label: -1}
	if err := j.Decode(&row); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the line is cut off: remove it to use the others")
		}
		return Row{}, err
	}
	if j.More() {
		return Row{}, errors.New("more than one object")
	}
	if row.Error == "" && row.Scores == nil {
		return Row{}, errors.New("neither scores nor an error: not a dump of scores")
	}
	classes := d.classes
	switch n := len(row.Scores); {
	case n > maxClasses:
		return Row{}, fmt.Errorf("%d scores: at most %d", n, maxClasses)
	case n > 0 && d.classes > 0 && n != d.classes:
		return Row{}, fmt.Errorf("%d scores, but line %d has %d", n, d.first, d.classes)
	case classes == 0 && n > 0:
		classes = n
	case classes == 0:
		classes = maxClasses // not known yet; what counts the rows checks again
	}
	if err := row.check(classes); err != nil {
		return Row{}, err
	}
	if row.Scores != nil {
		d.classes = classes
	}
	return row, nil
}
