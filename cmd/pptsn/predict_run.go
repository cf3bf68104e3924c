package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn"
)

// An outcome is what became of one input.
type outcome struct {
	file   string
	result *pptsn.Result
	err    error
}

// predictFiles classifies whole videos.
func predictFiles(cmd *cobra.Command, o predictOptions) (err error) {
	var out *outputFile
	if o.output.path != "" {
		if out, err = o.output.open(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, out.Close()) }()
	}
	m, err := o.open(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer m.Close()
	if o.workers == 0 {
		o.workers = runtime.GOMAXPROCS(0)
	}
	moreProcs()
	p := newPrinter(cmd.OutOrStdout(), cmd.ErrOrStderr(), o.json)
	p.format = o.format(m)
	files := o.files(cmd.Context(), cmd.InOrStdin())
	if out != nil {
		var stop func()
		if files, stop, err = p.useOutput(out, m, files, o.batch); err != nil {
			return err
		}
		defer stop()
	}
	err = o.classifyAll(cmd.Context(), m, files, p)
	if out != nil && err != nil && !errors.Is(err, errReported) {
		fmt.Fprintf(p.err, "pptsn: the results so far are in %s: go on with --resume\n", o.output.path)
	}
	return err
}

// format is the form of the results.
func (o *predictOptions) format(m *pptsn.Model) predictFormat {
	switch {
	case o.json:
		return jsonFormat{untimed: o.output.path != ""}
	case o.csv:
		return csvFormat{classes: m.TopK()}
	default:
		return textFormat{}
	}
}

// useOutput lets results go to a file, and returns the videos that have none there.
func (p *printer) useOutput(out *outputFile, m *pptsn.Model, files iter.Seq2[string, error], batch int) (rest iter.Seq2[string, error], stop func(), err error) {
	run, err := newRunRecord(m, p.format, batch)
	if err != nil {
		return nil, nil, err
	}
	p.out = out
	p.earlier, rest, stop, err = out.resume(run, p.format, files)
	if err != nil {
		stop()
		return nil, nil, err
	}
	if p.earlier.videos > 0 {
		fmt.Fprintf(p.err, "pptsn: the results of %d videos are in %s: going on behind them\n", p.earlier.videos, out.f.Name())
	}
	return rest, stop, nil
}

// classifyAll reports the outcomes of files in their order, and sums up.
func (o *predictOptions) classifyAll(ctx context.Context, m *pptsn.Model, files iter.Seq2[string, error], p *printer) error {
	if p.earlier.videos == 0 {
		header, err := p.format.header()
		if err != nil {
			return err
		}
		if err := p.write(header); err != nil {
			return err
		}
	}
	p.showProgress(o.count())
	for v := range m.ClassifyMany(ctx, files, pptsn.Many{Batch: o.batch, Workers: o.workers}) {
		if err := p.print(outcome{v.File, v.Result, v.Err}); err != nil {
			p.endProgress()
			return err
		}
	}
	p.endProgress()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if *o.benchmark {
		p.benchmark(m, o)
	}
	return p.finish()
}
