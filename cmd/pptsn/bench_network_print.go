package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// printRows writes one JSON object a line.
func printRows[R any](w io.Writer, rows []R) error {
	out := &bytes.Buffer{}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	for _, r := range rows {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// printNetwork writes the table.
func printNetwork(w io.Writer, s *benchSubject, rows []networkRow) error {
	out := &bytes.Buffer{}
	fmt.Fprintf(out, "%s, %s a video of %dx%d pixels, %s each\n", s.name, countOf(s.views, "view"), s.w, s.h, countOf(rows[0].Turns, "turn"))
	fmt.Fprintln(out, "engine  device    precision  batch  threads  ms/frame  GFLOP/s     peak  share      ±  to ort fp32")
	for _, r := range rows {
		fmt.Fprintf(out, "%-7s %-9s %-9s  %5d  %7s  %8.3f  %7.0f  %7s  %5s  %3.1f %%  %11s\n", r.Engine, r.Device, r.Precision, r.Batch,
			orDash(r.Threads, "%d"), r.MsPerFrame, r.GFLOPs, figureOf(r.PeakGFLOPs, 1, "%.0f"), figureOf(r.PeakShare, 100, "%.0f %%"), r.Spread, figureOf(r.Ratio, 1, "%.2f"))
	}
	printInstructions(out, rows)
	_, err := w.Write(out.Bytes())
	return err
}

// printInstructions says with what the peaks were measured.
func printInstructions(w io.Writer, rows []networkRow) {
	said := map[string]bool{}
	for _, r := range rows {
		if r.Instruction == "" || said[r.Precision] {
			continue
		}
		said[r.Precision] = true
		fmt.Fprintf(w, "the peak of %s is that of %s with %s\n", r.Precision, r.Instruction, countOf(r.Threads, "thread"))
	}
}

func figureOf(v *float64, times float64, format string) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf(format, *v*times)
}

func orDash(n int, format string) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf(format, n)
}
