package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/internal/turns"
)

func newBenchPredict() *cobra.Command {
	o := newBenchOptions()
	cmd := &cobra.Command{
		Use:   "predict -m MODEL VIDEO...",
		Short: "Measure how many videos a second predict classifies",
		Long: `Bench predict classifies the videos as predict does, with each --batch, and says
how many that are a second. The time of a video's stages includes waiting for a
core, or for the network of another video: where decoding and network overlap,
their sum is more than a video's share of the time.`,
		Example: `  pptsn bench predict -m inference/ppTSN videos/
  pptsn bench predict -m inference/ppTSN --batch 1,4,16 --engine torch --use_gpu val.list`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.videos = args
			return benchPredict(cmd, o)
		},
	}
	f := cmd.Flags()
	o.addModel(f)
	o.addBatch(f)
	o.engine.add(f)
	o.addWorkers(f)
	o.addTurns(f)
	return cmd
}

// A predictRow is what predict makes of one batch.
type predictRow struct {
	Row             string  `json:"row"` // "predict"
	Engine          string  `json:"engine"`
	Precision       string  `json:"precision"`
	Batch           int     `json:"batch"` // videos
	Videos          int     `json:"videos"`
	Bad             int     `json:"bad"`   // others, which cannot be read
	Views           int     `json:"views"` // of each
	Workers         int     `json:"workers"`
	Turns           int     `json:"turns"`
	VideosPerSecond float64 `json:"videos_per_second"`
	MsFrames        float64 `json:"ms_frames"`  // of one video: open, decode, scale
	MsNetwork       float64 `json:"ms_network"` // of one video, waiting for it included
	Spread          float64 `json:"spread"`     // of videos_per_second, in percent, see turns.Spread
}

// A predictSeries is all turns of one batch.
type predictSeries struct {
	batch                  int
	rates, frames, network []float64 // videos a second; milliseconds of a video
}

func benchPredict(cmd *cobra.Command, o benchOptions) error {
	switch {
	case o.model == "":
		return usagef("bench predict needs a model: -m MODEL (see pptsn bench predict --help)")
	case len(o.videos) == 0:
		return usagef("bench predict needs a video (see pptsn bench predict --help)")
	}
	if err := o.validateNetwork(); err != nil {
		return err
	}
	m, err := o.openModel()
	if err != nil {
		return err
	}
	defer m.Close()
	o.engine.explain(cmd.ErrOrStderr(), m.Engine())
	moreProcs() // as predict
	r, err := o.reel(cmd)
	if err != nil {
		return err
	}
	series, err := o.predictTurns(cmd.Context(), m, r, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if err := o.printPredict(cmd.OutOrStdout(), m, r, series); err != nil {
		return err
	}
	return r.finish(cmd.ErrOrStderr())
}

func (o *benchOptions) openModel() (*pptsn.Model, error) {
	b, err := bundle.Open(o.model)
	if err != nil {
		return nil, err
	}
	run, err := o.engine.options(scalesOf(b))
	if err != nil {
		return nil, err
	}
	return pptsn.New(b, pptsn.Options{Engine: run})
}

func (o *benchOptions) predictTurns(ctx context.Context, m *pptsn.Model, r *benchReel, stderr io.Writer) ([]*predictSeries, error) {
	var series []*predictSeries
	for _, n := range o.batches {
		if err := (&predictSeries{batch: n}).turn(ctx, m, r, o.workers, 0); err != nil { // to warm up
			return nil, err
		}
		series = append(series, &predictSeries{batch: n})
	}
	return series, o.takeTurns(stderr, "bench predict", len(series), func(i int) error { return series[i].turn(ctx, m, r, o.workers, o.atLeast()) })
}

// turn classifies all videos again and again for that time.
func (s *predictSeries) turn(ctx context.Context, m *pptsn.Model, r *benchReel, workers int, atLeast time.Duration) error {
	begin, sum, n := time.Now(), pptsn.Times{}, 0.0
	for n == 0 || time.Since(begin) < atLeast {
		for out := range m.ClassifyMany(ctx, named(r.files), pptsn.Many{Batch: s.batch, Workers: workers}) {
			if out.Err != nil {
				return out.Err
			}
			sum.Frames += out.Result.Time.Frames
			sum.Network += out.Result.Time.Network
			n++
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	s.rates = append(s.rates, n/time.Since(begin).Seconds())
	s.frames, s.network = append(s.frames, sum.Frames/n), append(s.network, sum.Network/n)
	return nil
}

// named is a list of files none of which could not be named.
func named(files []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, f := range files {
			if !yield(f, nil) {
				return
			}
		}
	}
}

func (o *benchOptions) printPredict(w io.Writer, m *pptsn.Model, r *benchReel, series []*predictSeries) error {
	var rows []predictRow
	for _, s := range series {
		rows = append(rows, predictRow{
			Row: "predict", Engine: string(m.Engine().Kind()), Precision: m.Engine().Precision().String(), Batch: s.batch,
			Videos: len(r.files), Bad: r.bad, Views: m.Preprocess().Views(), Workers: o.workers, Turns: len(s.rates),
			VideosPerSecond: turns.Median(s.rates), MsFrames: turns.Median(s.frames), MsNetwork: turns.Median(s.network), Spread: turns.Spread(s.rates),
		})
	}
	if o.json {
		return printRows(w, rows)
	}
	out := &bytes.Buffer{}
	fmt.Fprintf(out, "predict: %s, %s each, %s in %s, %s\n", countOf(len(r.files), "video"), countOf(rows[0].Views, "view"), rows[0].Engine, rows[0].Precision, countOf(o.turns, "turn"))
	fmt.Fprintln(out, "batch  videos/s      ±  ms decoding  ms in the network")
	for _, r := range rows {
		fmt.Fprintf(out, "%5d  %8.2f  %3.1f %%  %11.2f  %17.2f\n", r.Batch, r.VideosPerSecond, r.Spread, r.MsFrames, r.MsNetwork)
	}
	_, err := w.Write(out.Bytes())
	return err
}
