package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/turns"
	"github.com/pptsn/pptsn/onednn"
)

// A layersTable is what the layers of a network take in one precision.
type layersTable struct {
	precision graph.Precision
	batch     int // videos
	frames    int // views that are computed at once
	peak      float64
	layers    []onednn.LayerTime // times of all frames
}

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

func benchLayers(cmd *cobra.Command, o benchOptions, s *benchSubject) error {
	kind := engine.Kind(o.engine.kind)
	if kind != engine.Auto && kind != engine.OneDNN || bool(*o.engine.useGPU) || bool(*o.engine.useTensorRT) || bool(*o.engine.useOpenVINO) {
		return usagef("--layers is for --engine onednn")
	}
	precisions, err := o.layerPrecisions(s, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	for _, p := range precisions {
		for _, batch := range o.batches {
			t, err := o.profile(cmd.Context(), s, p, batch)
			if err != nil {
				return err
			}
			if err := o.printLayers(cmd.OutOrStdout(), s, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// layerPrecisions are what the flags ask for, else all that there are.
func (o *benchOptions) layerPrecisions(s *benchSubject, stderr io.Writer) ([]graph.Precision, error) {
	if o.engine.precision != "" {
		asked, err := o.engine.options(s.scales)
		return []graph.Precision{asked.Precision}, err
	}
	precisions := []graph.Precision{graph.FP32}
	for _, p := range []graph.Precision{graph.BF16, graph.INT8} {
		err := onednn.Supports(p)
		if err == nil && p == graph.INT8 && len(s.scales) == 0 {
			err = errNotQuantised
		}
		if err != nil {
			fmt.Fprintf(stderr, "pptsn: not measured: %v\n", err)
			continue
		}
		precisions = append(precisions, p)
	}
	return precisions, nil
}

func (o *benchOptions) profile(ctx context.Context, s *benchSubject, p graph.Precision, batch int) (layersTable, error) {
	t := layersTable{precision: p, batch: batch}
	options := onednn.Options{Threads: o.engine.threads, Precision: p, Force: o.engine.force}
	if p == graph.INT8 {
		options.Scales = s.scales
	}
	e, err := onednn.Compile(s.graph, s.weights, options)
	if err != nil {
		return t, err
	}
	defer e.Close()
	if t.layers, t.frames, err = e.Profile(ctx, o.turns, s.shape(batch)); err != nil {
		return t, err
	}
	t.peak = o.peakNow(p)
	return t, nil
}

// peakNow measures the peak for a precision; 0 if it is not known.
func (o *benchOptions) peakNow(p graph.Precision) float64 {
	i := instructionFor(p)
	if i.Name == "" {
		return 0
	}
	threads := o.engine.threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	var speeds []float64
	for range o.turns {
		speeds = append(speeds, i.Speed(threads, peakTime))
	}
	return turns.Median(speeds)
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
