package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/pptsn/pptsn/check"
)

// A checkPrinter writes the summary to stdout and progress to stderr.
type checkPrinter struct {
	out, err io.Writer
	json     bool
	dir      string // where the files are
	stage    string
	meter    *meter
}

// progress is called in the course of the check.
func (p *checkPrinter) progress(stage string, done, total int64) {
	if stage != p.stage {
		p.close()
		p.stage, p.meter = stage, newMeter(p.err, "check: "+stage, "clips", int(total))
	}
	p.meter.add(int(done) - p.meter.done)
}

func (p *checkPrinter) close() {
	if p.meter != nil {
		p.meter.close()
	}
}

// interrupted says where the findings are of a check that did not end.
func (p *checkPrinter) interrupted() {
	left := filepath.Join(p.dir, "bad.jsonl.partial")
	if _, err := os.Stat(left); err == nil {
		fmt.Fprintf(p.err, "pptsn: what was found so far is in %s\n", left)
	}
}

func (p *checkPrinter) print(s *check.Summary) error {
	if p.json {
		return s.Write(p.out)
	}
	var b bytes.Buffer
	for _, l := range s.Lists {
		fmt.Fprintf(&b, "%s (%s): %s of %s", l.List, l.Use, countOf(l.Lines, "clip"), countOf(len(l.Classes), "class"))
		if !s.Quick {
			fmt.Fprintf(&b, ", %s, %s", countOf(l.Frames, "frame"), hours(l.Hours))
		}
		fmt.Fprintf(&b, "; %d good\n", l.Good)
	}
	for _, k := range s.Kinds {
		fmt.Fprintf(&b, "\n%s %s: %d\n", k.Level, k.Kind, k.Count)
		for _, f := range k.First {
			fmt.Fprintf(&b, "  %s\n", findingLine(f))
		}
		if more := k.Count - int64(len(k.First)); more > 0 {
			fmt.Fprintf(&b, "  and %d more\n", more)
		}
	}
	for _, remark := range s.Remarks {
		fmt.Fprintf(&b, "\n%s\n", remark)
	}
	fmt.Fprintf(&b, "\n%s (%s)\n", s.Verdict, p.cost(s))
	fmt.Fprintf(&b, "%s has the findings, %s shows them\n", filepath.Join(p.dir, "bad.jsonl"), filepath.Join(p.dir, "index.html"))
	_, err := io.WriteString(p.out, printable(b.String()))
	return err
}

// cost says what was done.
func (p *checkPrinter) cost(s *check.Summary) string {
	took := time.Duration(s.Seconds * float64(time.Second)).Round(10 * time.Millisecond)
	if s.Quick {
		return fmt.Sprintf("no file was decoded, %s", took)
	}
	return fmt.Sprintf("%s decoded, %d known from before, %s", countOf(s.Decoded, "clip"), s.Remembered, took)
}

// hours are easy to read where there are few.
func hours(h float64) string {
	if h < 1 {
		return fmt.Sprintf("%.1f minutes", 60*h)
	}
	return fmt.Sprintf("%.1f hours", h)
}

// findingLine is one finding in one line.
func findingLine(f check.Finding) string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s", f.List, f.Message)
	}
	return fmt.Sprintf("%s:%d: %s: %s", f.List, f.Line, f.Name, f.Message)
}
