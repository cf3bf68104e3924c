package main

import (
	"context"
	"fmt"
	"io"

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
	var speeds []float64
	for range o.turns {
		speeds = append(speeds, i.Speed(o.threads(), peakTime))
	}
	return turns.Median(speeds)
}
