package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/pptsn/pptsn"
)

// A windowPrinter writes windows and segments to stdout, and errors and progress
// to stderr.
type windowPrinter struct {
	out, err   io.Writer
	json       bool
	meter      *meter // of the video in work; nil before its first window
	ok, failed int
}

func newWindowPrinter(out, err io.Writer, asJSON bool) *windowPrinter {
	return &windowPrinter{out: out, err: err, json: asJSON}
}

// A windowLine is a window for programs. Times are seconds since the first frame.
type windowLine struct {
	File   string        `json:"file"`
	Window int           `json:"window"` // from 0
	Start  float64       `json:"start"`
	End    float64       `json:"end"`
	Top    []pptsn.Class `json:"top"`
	Frames []int         `json:"frames"` // numbers of the frames that were looked at, from 0
}

// A segmentLine is a segment for programs. They follow the windows of their video.
type segmentLine struct {
	File    string  `json:"file"`
	Segment int     `json:"segment"` // from 0
	Start   float64 `json:"start"`
	End     float64 `json:"end"`
	pptsn.Class
}

// inSeconds is a time for programs, to the microsecond.
func inSeconds(t time.Duration) float64 { return math.Round(t.Seconds()*1e6) / 1e6 }

// window reports one window as soon as it is known.
func (p *windowPrinter) window(file string, w pptsn.Window) error {
	if p.meter == nil {
		p.meter = newMeter(p.err, "predict", "windows", w.Of)
	}
	p.meter.add(1)
	if !p.json {
		return nil
	}
	return p.line(windowLine{file, w.Index, inSeconds(w.Start), inSeconds(w.End), w.Top, w.Frames})
}

func (p *windowPrinter) endMeter() {
	if p.meter != nil {
		p.meter.close()
		p.meter = nil
	}
}

// segments reports those of one video.
func (p *windowPrinter) segments(file string, segments []pptsn.Segment) error {
	if p.json {
		for i, s := range segments {
			if err := p.line(segmentLine{file, i, inSeconds(s.Start), inSeconds(s.End), s.Class}); err != nil {
				return err
			}
		}
		return nil
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%12s  %12s  %5s  %s\n", file, "start", "end", "score", "label")
	for _, s := range segments {
		fmt.Fprintf(&b, "%12s  %12s  %5.3f  %s\n", clockTime(s.Start), clockTime(s.End), s.Score, classLabel(s.Class))
	}
	_, err := p.out.Write(b.Bytes())
	return p.wrote(err)
}

// clockTime is a time as h:mm:ss.mmm.
func clockTime(t time.Duration) string {
	ms := t.Round(time.Millisecond).Milliseconds()
	return fmt.Sprintf("%d:%02d:%02d.%03d", ms/3600000, ms/60000%60, ms/1000%60, ms%1000)
}

// classLabel is the class's name, or its number where names are not known.
func classLabel(c pptsn.Class) string {
	if c.Name != "" {
		return c.Name
	}
	return fmt.Sprintf("class %d", c.Index)
}

func (p *windowPrinter) line(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false) // file names and class names as they are
	return p.wrote(e.Encode(v))
}

// wrote marks an error of writing to stdout.
func (p *windowPrinter) wrote(err error) error {
	if err != nil {
		return printError{err}
	}
	return nil
}

// done reports what became of a video. It fails where nothing more can be printed.
func (p *windowPrinter) done(file string, err error) error {
	var print printError
	switch {
	case err == nil:
		p.ok++
		return nil
	case errors.As(err, &print):
		return err
	}
	p.failed++
	fmt.Fprintf(p.err, "pptsn: %s\n", describeError(outcome{file: file, err: err}))
	if p.json {
		return p.line(failure{File: file, Error: failureError{Kind: errorKind(err), Message: err.Error()}})
	}
	return nil
}

// finish sums up.
func (p *windowPrinter) finish() error {
	if p.ok+p.failed > 1 {
		fmt.Fprintf(p.err, "pptsn: %s classified, %d failed\n", countOf(p.ok, "video"), p.failed)
	}
	if p.failed > 0 {
		return errReported
	}
	return nil
}
