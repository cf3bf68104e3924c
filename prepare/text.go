package prepare

import (
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/pptsn/pptsn/internal/textfile"
)

// lines yields the lines that are not blank, without spaces around them,
// numbered from 1.
func lines(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for n, line := range textfile.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && !yield(n, line) {
				return
			}
		}
	}
}

// fields splits a line of a CSV file. A field in quotes does not go on in the
// next line.
func fields(line string) ([]string, error) {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, ","), nil
	}
	out, err := csv.NewReader(strings.NewReader(line)).Read()
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		err = parse.Err
	}
	return out, err
}

// columns finds columns by their names in a header, in any case of letters;
// those that are not there are -1.
func columns(header []string, names ...string) []int {
	at := make([]int, len(names))
	for i, name := range names {
		at[i] = -1
		for j, h := range header {
			if strings.EqualFold(strings.TrimSpace(h), name) {
				at[i] = j
			}
		}
	}
	return at
}

// field is that column of a row, "" where there is none.
func field(row []string, column int) string {
	if column < 0 || column >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[column])
}

// A Problem is a line of a file that is wrong or odd.
type Problem struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1
	Msg  string `json:"message"`
}

func (p Problem) Error() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Msg) }

// joined is an error of the first few problems; nil for none.
func joined(problems []Problem) error {
	const most = 10
	var errs []error
	for i, p := range problems {
		if i == most {
			errs = append(errs, fmt.Errorf("and %d more lines", len(problems)-most))
			break
		}
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// quoted is a text from a file for a message: short and on one line.
func quoted(s string) string {
	if len(s) > 80 {
		return fmt.Sprintf("%q...", s[:80])
	}
	return fmt.Sprintf("%q", s)
}
