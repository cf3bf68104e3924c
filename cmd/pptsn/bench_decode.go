package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/internal/turns"
)

func newBenchDecode() *cobra.Command {
	o := newBenchOptions()
	cmd := &cobra.Command{
		Use:   "decode VIDEO...",
		Short: "Measure how many videos a second are decoded",
		Long: `Bench decode opens the videos, decodes and scales the frames that a network looks
at, and throws them away: with one worker, and with --workers of them. The files are
in the system's cache. Videos are named as for predict.`,
		Example: `  pptsn bench decode videos/
  pptsn bench decode -m inference/ppTSN clip.mp4
  pptsn bench decode -c my.yaml -o INFERENCE.num_seg=8 val.list`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.videos = args
			return benchDecode(cmd, o)
		},
	}
	f := cmd.Flags()
	o.addModel(f)
	o.addConfig(f)
	o.addWorkers(f)
	o.addTurns(f)
	return cmd
}

// A decodeRow is what so many workers decode.
type decodeRow struct {
	Row            string  `json:"row"` // "decode"
	Videos         int     `json:"videos"`
	Bad            int     `json:"bad"`    // others, which cannot be read
	Frames         int     `json:"frames"` // of each that are looked at
	Workers        int     `json:"workers"`
	Turns          int     `json:"turns"`
	ClipsPerSecond float64 `json:"clips_per_second"`
	MsPerClip      float64 `json:"ms_per_clip"` // of one worker
	Spread         float64 `json:"spread"`      // of clips_per_second, in percent, see turns.Spread
}

// A decodeSeries is all turns of one number of workers.
type decodeSeries struct {
	workers int
	rates   []float64 // videos a second, of each turn
	ms      []float64 // of a video on one worker
}

func benchDecode(cmd *cobra.Command, o benchOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	if len(o.videos) == 0 {
		return usagef("bench decode needs a video (see pptsn bench decode --help)")
	}
	moreProcs() // as predict
	r, err := o.reel(cmd)
	if err != nil {
		return err
	}
	var series []*decodeSeries
	for _, n := range slices.Compact([]int{1, o.workers}) {
		series = append(series, &decodeSeries{workers: n})
	}
	if err := o.takeTurns(cmd.ErrOrStderr(), "bench decode", len(series), func(i int) error {
		return series[i].turn(cmd.Context(), r, o.atLeast())
	}); err != nil {
		return err
	}
	if err := o.printDecode(cmd.OutOrStdout(), r, series); err != nil {
		return err
	}
	return r.finish(cmd.ErrOrStderr())
}

// turn reads all videos again and again for that time.
func (s *decodeSeries) turn(ctx context.Context, r *benchReel, atLeast time.Duration) error {
	begin, sum, n := time.Now(), time.Duration(0), 0.0
	for n == 0 || time.Since(begin) < atLeast {
		for d := range decodeAll(ctx, r.files, r.spec, s.workers) {
			if d.err != nil {
				return d.err
			}
			sum += d.took
			n++
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	s.rates = append(s.rates, n/time.Since(begin).Seconds())
	s.ms = append(s.ms, 1e3*sum.Seconds()/n)
	return nil
}

func (o *benchOptions) printDecode(w io.Writer, r *benchReel, series []*decodeSeries) error {
	var rows []decodeRow
	for _, s := range series {
		rows = append(rows, decodeRow{
			Row: "decode", Videos: len(r.files), Bad: r.bad, Frames: r.spec.Sampling.Segments, Workers: s.workers, Turns: len(s.rates),
			ClipsPerSecond: turns.Median(s.rates), MsPerClip: turns.Median(s.ms), Spread: turns.Spread(s.rates),
		})
	}
	if o.json {
		return printRows(w, rows)
	}
	out := &bytes.Buffer{}
	fmt.Fprintf(out, "decode: %s, %s each, %s\n", countOf(len(r.files), "video"), countOf(r.spec.Sampling.Segments, "frame"), countOf(o.turns, "turn"))
	fmt.Fprintln(out, "workers  clips/s      ±  ms a clip of one worker")
	for _, r := range rows {
		fmt.Fprintf(out, "%7d  %7.1f  %3.1f %%  %23.2f\n", r.Workers, r.ClipsPerSecond, r.Spread, r.MsPerClip)
	}
	_, err := w.Write(out.Bytes())
	return err
}
