package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/pptsn/pptsn"
)

// errNoVideos reports a folder to predict on that holds no video.
var errNoVideos = errors.New("the folder holds no video files (folders inside it are not searched)")

// errReported ends the program with exit code 1; the reasons were printed.
var errReported = errors.New("some videos failed")

// A printer writes outcomes to stdout, and errors and progress to stderr.
type printer struct {
	out, err io.Writer
	json     bool
	bar      *progressbar.ProgressBar // nil where stderr is no terminal

	begin      time.Time
	ok, failed int
	time       pptsn.Times // summed
}

func newPrinter(out, err io.Writer, asJSON bool) *printer {
	p := &printer{out: out, err: err, json: asJSON, begin: time.Now()}
	if isTerminal(err) {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(err), progressbar.OptionSetDescription("predict"),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("videos"), progressbar.OptionClearOnFinish())
	}
	return p
}

// print reports one outcome; the error is that of writing it.
func (p *printer) print(o outcome) error {
	if p.bar != nil {
		p.bar.Clear()
		defer p.bar.Add(1)
	}
	if o.err != nil {
		p.failed++
		fmt.Fprintf(p.err, "pptsn: %s\n", describeError(o))
		if p.json {
			return p.line(failure{File: o.file, Error: failureError{Kind: errorKind(o.err), Message: o.err.Error()}})
		}
		return nil
	}
	p.ok++
	p.time.Frames += o.result.Time.Frames
	p.time.Network += o.result.Time.Network
	if p.json {
		return p.line(o.result)
	}
	return p.text(o.result)
}

func (p *printer) line(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false) // file names and class names as they are
	return e.Encode(v)
}

// text is the reference's report, with the class's name where it is known.
func (p *printer) text(r *pptsn.Result) error {
	s := "Current video file: " + r.File + "\n"
	for i, c := range r.Top {
		s += fmt.Sprintf("\ttop-%d class: %d\n", i+1, c.Index)
		s += fmt.Sprintf("\ttop-%d score: %s\n", i+1, strconv.FormatFloat(c.Score, 'g', -1, 64))
		if c.Name != "" {
			s += fmt.Sprintf("\ttop-%d name: %s\n", i+1, c.Name)
		}
	}
	_, err := io.WriteString(p.out, s)
	return err
}

// finish sums up.
func (p *printer) finish(benchmark bool) error {
	if p.bar != nil {
		p.bar.Finish()
	}
	n, took := p.ok+p.failed, time.Since(p.begin)
	if n > 1 {
		fmt.Fprintf(p.err, "pptsn: %d videos classified, %d failed, in %s\n", p.ok, p.failed, took.Round(time.Millisecond))
	}
	if benchmark && p.ok > 0 {
		fmt.Fprintf(p.err, "pptsn: a video took %.1f ms to decode and scale, %.1f ms in the network; %.2f videos a second\n",
			p.time.Frames/float64(p.ok), p.time.Network/float64(p.ok), float64(n)/took.Seconds())
	}
	if p.failed > 0 {
		return errReported
	}
	return nil
}

// describeError names the file once: most errors do so already.
func describeError(o outcome) string {
	msg := o.err.Error()
	if len(o.file) > 0 && strings.Contains(msg, o.file) {
		return msg
	}
	return o.file + ": " + msg
}
