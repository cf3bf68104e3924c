package prepare

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
)

// maxText bounds an annotation file, in bytes: Kinetics-700's have 40 MB.
const maxText = 256 << 20

// readText reads an annotation file without the mark before UTF-8.
func readText(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxText {
		return "", fmt.Errorf("%s: more than %d bytes, which no list of clips has", file, maxText)
	}
	text := string(data)
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return "", fmt.Errorf("%s: the file is in UTF-16: save it as UTF-8", file)
	}
	return strings.TrimPrefix(text, "\ufeff"), nil
}

// lines yields the lines that are not blank, without spaces around them,
// numbered from 1. They end in \n, \r\n or \r.
func lines(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for n := 1; text != ""; n++ {
			line, rest := text, ""
			if end := strings.IndexAny(text, "\r\n"); end >= 0 {
				line, rest = text[:end], text[end+1:]
				if text[end] == '\r' {
					rest = strings.TrimPrefix(rest, "\n")
				}
			}
			text = rest
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
