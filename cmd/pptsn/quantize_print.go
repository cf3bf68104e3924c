package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/quantize"
)

type quantizePrinter struct {
	out  io.Writer
	json bool
}

// A quantizeSummary is the last line of --json.
type quantizeSummary struct {
	Method string           `json:"method"`
	Trials []quantize.Trial `json:"trials"`
	Float  []string         `json:"fp32_layers"` // convolutions
	quantize.Agreement
	First *quantize.Agreement `json:"before_keeping_more,omitempty"` // absent if no more layers were kept in float32 than asked for
	Files []string            `json:"files,omitempty"`               // absent if nothing was written
}

// layers prints the error of each layer.
func (p quantizePrinter) layers(r *quantize.Result) error {
	if p.json {
		e := json.NewEncoder(p.out)
		for _, l := range r.Layers {
			if err := e.Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "operand\tscale\town error\tdB\terror with those before\tdB\t  layer")
	for _, l := range r.Layers {
		operand := "u8"
		if l.Signed {
			operand = "s8"
		}
		fmt.Fprintf(w, "%s\t%.4g\t%.2f %%\t%.1f\t%.2f %%\t%.1f\t  %s\n", operand, l.Scale, 100*l.Error, l.DB, 100*l.TotalError, l.TotalDB, l.Name)
	}
	return w.Flush()
}

// summary prints what came of it all.
func (p quantizePrinter) summary(r *quantize.Result, prefix string, written bool) error {
	s := quantizeSummary{Method: r.Method, Trials: r.Trials, Float: r.Float, Agreement: r.Agreement}
	if len(r.Float) > len(r.First.Float) {
		s.First = &r.First.Agreement
	}
	if written {
		s.Files = bundle.Files(prefix)
	}
	if p.json {
		e := json.NewEncoder(p.out)
		e.SetEscapeHTML(false)
		return e.Encode(s)
	}
	_, err := io.WriteString(p.out, s.text())
	return err
}

func (s quantizeSummary) text() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "convolutions in float32: %s\n", strings.Join(s.Float, ", "))
	if s.First != nil {
		fmt.Fprintf(b, "with fewer of them: same top-1 class %.1f %%\n", 100*s.First.Top1)
	}
	var trials []string
	for _, t := range s.Trials {
		trials = append(trials, fmt.Sprintf("%s %.4f", t.Method, t.Drift))
	}
	fmt.Fprintf(b, "scales by %s (on calibration clips probabilities move by: %s)\n", s.Method, strings.Join(trials, ", "))
	fmt.Fprintf(b, "on %d other clips: same top-1 class %.1f %%, probabilities move by %.4f in the mean, %.4f at most\n",
		s.Clips, 100*s.Top1, s.MeanDrift, s.MaxDrift)
	if s.Labelled > 0 {
		fmt.Fprintf(b, "top-1 accuracy on %d of them: fp32 %.1f %%, int8 %.1f %%\n", s.Labelled, 100*s.FP32, 100*s.INT8)
	}
	for _, file := range s.Files {
		fmt.Fprintln(b, file)
	}
	return b.String()
}

// A stepMeter shows one step of some work after another.
type stepMeter struct {
	w     io.Writer
	what  string
	meter *meter // nil before the first step
}

// set says how far a step has come.
func (s *stepMeter) set(what string, done, total int) {
	if s.meter == nil || what != s.what {
		s.close()
		fmt.Fprintf(s.w, "pptsn: %s\n", what)
		s.what, s.meter = what, newMeter(s.w, what, "done", total)
	}
	s.meter.add(done - s.meter.done)
}

func (s *stepMeter) say(format string, args ...any) {
	if s.meter == nil {
		fmt.Fprintf(s.w, format+"\n", args...)
		return
	}
	s.meter.say(format, args...)
}

func (s *stepMeter) close() {
	if s.meter != nil {
		s.meter.close()
	}
}
