package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pptsn/pptsn"
)

// A predictFormat writes outcomes down.
type predictFormat interface {
	header() ([]byte, error)          // before the first outcome
	record(o outcome) ([]byte, error) // of one video, whole lines
}

// textFormat is the reference's report, with the class's name where it is known.
// Failures are not part of it.
type textFormat struct{}

func (textFormat) header() ([]byte, error) { return nil, nil }

func (textFormat) record(o outcome) ([]byte, error) {
	if o.err != nil {
		return nil, nil
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Current video file: %s\n", o.file)
	for i, c := range o.result.Top {
		fmt.Fprintf(&b, "\ttop-%d class: %d\n", i+1, c.Index)
		fmt.Fprintf(&b, "\ttop-%d score: %s\n", i+1, formatScore(c.Score))
		if c.Name != "" {
			fmt.Fprintf(&b, "\ttop-%d name: %s\n", i+1, c.Name)
		}
	}
	return b.Bytes(), nil
}

func formatScore(s float64) string { return strconv.FormatFloat(s, 'g', -1, 64) }

// jsonFormat is one object a line: a result or a failure.
type jsonFormat struct {
	untimed bool // without the times, so that the same work gives the same bytes
}

func (jsonFormat) header() ([]byte, error) { return nil, nil }

func (f jsonFormat) record(o outcome) ([]byte, error) {
	if o.err != nil {
		return encodeLine(failure{File: o.file, Error: failureError{Kind: errorKind(o.err), Message: o.err.Error()}})
	}
	if f.untimed {
		return encodeLine(struct {
			*pptsn.Result
			Time *pptsn.Times `json:"ms,omitempty"` // hides the result's
		}{Result: o.result})
	}
	return encodeLine(o.result)
}

func encodeLine(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // file names and class names as they are
	err := e.Encode(v)
	return b.Bytes(), err
}

// csvFormat is a row for each video: its file, number, name and score of each
// class, and what went wrong.
type csvFormat struct {
	classes int // in each row
}

// columns are what the first row says.
func (f csvFormat) columns() []string {
	row := []string{"file"}
	for i := range f.classes {
		n := strconv.Itoa(i + 1)
		row = append(row, "class_"+n, "name_"+n, "score_"+n)
	}
	return append(row, "error")
}

func (f csvFormat) header() ([]byte, error) { return csvRow(f.columns()) }

func (f csvFormat) record(o outcome) ([]byte, error) {
	row := make([]string, 2+3*f.classes)
	row[0] = o.file
	if o.err != nil {
		row[len(row)-1] = o.err.Error()
		return csvRow(row)
	}
	for i, c := range o.result.Top {
		copy(row[1+3*i:], []string{strconv.Itoa(c.Index), c.Name, formatScore(c.Score)})
	}
	return csvRow(row)
}

func csvRow(row []string) ([]byte, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write(row)
	w.Flush()
	return []byte(b.String()), w.Error()
}
