package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/pptsn/pptsn/evaluate"
)

// A testPrinter writes the report to stdout, and errors and progress to stderr.
type testPrinter struct {
	out, err io.Writer
	lines    io.Writer // the reference's [TEST] lines
	json     bool
	bar      *progressbar.ProgressBar // of a test that runs; nil where stderr is no terminal
}

func newTestPrinter(out, err io.Writer, asJSON bool) *testPrinter {
	p := &testPrinter{out: out, err: err, lines: out, json: asJSON}
	if asJSON {
		p.lines = err
	}
	return p
}

// progress reports every so many batches of a list, numbered as the reference
// does it: batches from 0, the number of full ones behind the slash.
func (p *testPrinter) progress(clips, batch, interval int) func(evaluate.Progress) {
	if isTerminal(p.err) {
		p.bar = progressbar.NewOptions(clips, progressbar.OptionSetWriter(p.err), progressbar.OptionSetDescription("test"),
			progressbar.OptionShowIts(), progressbar.OptionShowCount(), progressbar.OptionSetItsString("clips"), progressbar.OptionClearOnFinish())
	}
	return func(at evaluate.Progress) {
		if p.bar != nil {
			p.bar.Clear()
		}
		if at.Batch%interval == 0 {
			fmt.Fprintf(p.lines, "[TEST] Processing batch %d/%d ...\n", at.Batch, clips/batch)
		}
		if p.bar != nil {
			p.bar.Set(at.Rows)
		}
	}
}

// timing ends the progress of a list.
func (p *testPrinter) timing(clips int, took time.Duration) {
	if p.bar != nil {
		p.bar.Finish()
	}
	fmt.Fprintf(p.err, "pptsn: %s in %s, %.2f a second\n", countOf(clips, "clip"), took.Round(time.Millisecond), float64(clips)/took.Seconds())
}

func (p *testPrinter) result(r *evaluate.Result, m evaluate.Metric) error {
	if _, err := fmt.Fprintf(p.lines, "[TEST] finished, %s\n", averages(r, m.ClipsPerVideo > 1)); err != nil {
		return err
	}
	if p.json {
		e := json.NewEncoder(p.out)
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	fmt.Fprintln(p.out)
	return r.Text(p.out)
}

// averages are the accuracies as the reference prints them: MultiCropMetric
// with a space behind the sign.
func averages(r *evaluate.Result, multi bool) string {
	space := ""
	if multi {
		space = " "
	}
	var parts []string
	for _, a := range r.Top {
		parts = append(parts, fmt.Sprintf("avg_acc%d=%s%s", a.K, space, strconv.FormatFloat(a.Accuracy, 'g', -1, 32)))
	}
	return strings.Join(parts, ", ")
}

// failures names what could not be read.
func (p *testPrinter) failures(r *evaluate.Result) error {
	if len(r.Failed) == 0 {
		return nil
	}
	fmt.Fprintf(p.err, "pptsn: %d of %d videos could not be read and count as wrong:\n", len(r.Failed), r.Videos)
	for _, v := range r.Failed {
		fmt.Fprintf(p.err, "  %s\n", v.Error)
	}
	return errReported
}
