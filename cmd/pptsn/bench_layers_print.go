package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pptsn/pptsn/engine"
)

// A layerRow is one layer.
type layerRow struct {
	Row        string   `json:"row"` // "layer"
	Engine     string   `json:"engine"`
	Precision  string   `json:"precision"` // of the network: a layer may be kept in fp32
	Network    string   `json:"network"`
	Batch      int      `json:"batch"`
	Layer      string   `json:"layer"`
	Kernel     string   `json:"kernel,omitempty"` // of oneDNN
	MsPerFrame float64  `json:"ms_per_frame"`
	TimeShare  float64  `json:"time_share"`
	GFLOPs     *float64 `json:"gflops"`      // null: no multiplications
	PeakGFLOPs *float64 `json:"peak_gflops"` // of the precision; null: not known
	PeakShare  *float64 `json:"peak_share"`
	LostMs     *float64 `json:"lost_ms_per_frame"` // that it takes longer than the peak would
}

func (t layersTable) rows(network string) []layerRow {
	total := t.total()
	var rows []layerRow
	for _, l := range t.layers {
		seconds := l.Time.Seconds() / float64(t.frames)
		r := layerRow{
			Row: "layer", Engine: string(engine.OneDNN), Precision: t.precision.String(), Network: network, Batch: t.batch,
			Layer: l.Layer, Kernel: l.Kernel, MsPerFrame: 1e3 * seconds, TimeShare: l.Time.Seconds() / total.Seconds(),
		}
		if l.FLOPs > 0 {
			speed := float64(l.FLOPs) / l.Time.Seconds()
			r.GFLOPs = scaled(speed, 1e-9)
			if t.peak > 0 {
				r.PeakShare = scaled(speed, 1/t.peak)
			}
		}
		if t.peak > 0 {
			r.PeakGFLOPs = scaled(t.peak, 1e-9)
			r.LostMs = scaled(seconds-float64(l.FLOPs)/float64(t.frames)/t.peak, 1e3)
		}
		rows = append(rows, r)
	}
	return rows
}

func (t layersTable) total() (sum time.Duration) {
	for _, l := range t.layers {
		sum += l.Time
	}
	return sum
}

func scaled(v, by float64) *float64 {
	v *= by
	return &v
}

func (o *benchOptions) printLayers(w io.Writer, s *benchSubject, t layersTable) error {
	rows := t.rows(s.name)
	if o.json {
		return printRows(w, rows)
	}
	out := &bytes.Buffer{}
	fmt.Fprintf(out, "%s in %s, batch %d, %s at once: %.3f ms/frame\n", s.name, t.precision, t.batch, countOf(t.frames, "view"), 1e3*t.total().Seconds()/float64(t.frames))
	fmt.Fprintln(out, "ms/frame   time  GFLOP/s  of peak  lost ms  layer")
	lost := 0.0
	for _, r := range rows {
		fmt.Fprintf(out, "%8.3f  %3.0f %%  %7s  %7s  %7s  %s\n", r.MsPerFrame, 100*r.TimeShare, figureOf(r.GFLOPs, 1, "%.0f"),
			figureOf(r.PeakShare, 100, "%.0f %%"), figureOf(r.LostMs, 1, "%.3f"), shortLayer(r))
		if r.LostMs != nil {
			lost += *r.LostMs
		}
	}
	if t.peak > 0 {
		fmt.Fprintf(out, "at the peak of %.0f GFLOP/s it would take %.3f ms/frame less\n", t.peak/1e9, lost)
	}
	fmt.Fprintln(out)
	_, err := w.Write(out.Bytes())
	return err
}

// shortLayer is a layer without its operands, and its kernel.
func shortLayer(r layerRow) string {
	name, _, node := strings.Cut(r.Layer, "(")
	if !node {
		name += " laid out anew "
	}
	if r.Kernel != "" {
		name += "[" + r.Kernel + "]"
	}
	return name
}
