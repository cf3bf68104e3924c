package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pptsn/pptsn"
)

// errNoVideos reports a folder to predict on that holds no video.
var errNoVideos = errors.New("the folder holds no video files (folders inside it are not searched)")

// errReported ends the program with exit code 1; the reasons were printed.
var errReported = errors.New("some videos failed")

// A printer writes outcomes to out, and errors and progress to err.
type printer struct {
	out, err io.Writer
	json     bool
	format   predictFormat
	meter    *meter // nil: no progress is shown

	begin      time.Time
	earlier    past // outcomes that an output held already
	ok, failed int
	time       pptsn.Times // summed
	writing    time.Duration
}

func newPrinter(out, err io.Writer, asJSON bool) *printer {
	p := &printer{out: out, err: err, json: asJSON, format: textFormat{}, begin: time.Now()}
	if asJSON {
		p.format = jsonFormat{}
	}
	return p
}

// showProgress shows how many of total videos are done; total is -1 where it is not
// known, which only a terminal can show.
func (p *printer) showProgress(total int) {
	if total > 1 || total < 0 && isTerminal(p.err) {
		p.meter = newMeter(p.err, "predict", "videos", max(total-p.earlier.videos, -1))
	}
}

func (p *printer) endProgress() {
	if p.meter != nil {
		p.meter.close()
	}
}

// print reports one outcome; the error is that of writing it.
func (p *printer) print(o outcome) error {
	if p.meter != nil {
		if p.meter.bar != nil {
			p.meter.bar.Clear()
		}
		defer p.meter.add(1)
	}
	if o.err != nil {
		p.failed++
		fmt.Fprintf(p.err, "pptsn: %s\n", describeError(o))
	} else {
		p.ok++
		p.time.Frames += o.result.Time.Frames
		p.time.Network += o.result.Time.Network
	}
	begin := time.Now()
	defer func() { p.writing += time.Since(begin) }()
	b, err := p.format.record(o)
	if err != nil {
		return err
	}
	return p.write(b)
}

func (p *printer) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := p.out.Write(b)
	return err
}

// line writes a JSON object.
func (p *printer) line(v any) error {
	b, err := encodeLine(v)
	if err != nil {
		return err
	}
	return p.write(b)
}

// finish sums up.
func (p *printer) finish() error {
	if n := p.ok + p.failed; n > 1 || p.earlier.videos > 0 {
		fmt.Fprintf(p.err, "pptsn: %s classified, %d failed, in %s\n", countOf(p.ok, "video"), p.failed, time.Since(p.begin).Round(time.Millisecond))
	}
	if p.earlier.failed > 0 {
		fmt.Fprintf(p.err, "pptsn: of %s before, %d had failed\n", countOf(p.earlier.videos, "video"), p.earlier.failed)
	}
	if p.failed+p.earlier.failed > 0 {
		return errReported
	}
	return nil
}

// benchmark reports the stages: what one video took of each, whichever ran at the
// same time.
func (p *printer) benchmark(m *pptsn.Model, o *predictOptions) {
	if p.ok == 0 {
		return
	}
	n, took := float64(p.ok), time.Since(p.begin).Seconds()
	e := m.Engine()
	fmt.Fprintf(p.err, "pptsn: %s in %s, %d views of a video, %d videos at once in the network, %d decoded at the same time\n",
		e.Kind(), e.Precision(), m.Preprocess().Views(), o.batch, o.workers)
	fmt.Fprintf(p.err, "pptsn: a video took %.1f ms to decode and scale, %.1f ms in the network, %.1f ms to report; %.2f videos a second, the network at work for %.0f %% of the time\n",
		p.time.Frames/n, p.time.Network/n, 1e3*p.writing.Seconds()/n, n/took, p.time.Network/took/10)
}

// describeError names the file once: most errors do so already.
func describeError(o outcome) string {
	msg := o.err.Error()
	if len(o.file) > 0 && strings.Contains(msg, o.file) {
		return msg
	}
	return o.file + ": " + msg
}
