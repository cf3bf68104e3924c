package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/launch"
	"github.com/pptsn/pptsn/torch"
)

// run classifies the list of DATASET.test, together with other ranks if meeting
// is not nil.
func (o *testOptions) run(ctx context.Context, cfg *config.Config, m evaluate.Metric, p *testPrinter, meeting *meeting) (r *evaluate.Result, err error) {
	spec, err := cfg.Clip(config.Test)
	if err != nil {
		return nil, err
	}
	set, data, err := openData(cfg, config.Test, spec, m.Classes, openCache(p.err))
	if err != nil {
		return nil, err
	}
	how, err := cfg.Metric()
	if err != nil {
		return nil, err
	}
	if err := o.prepareOutput(); err != nil {
		return nil, err
	}
	if err := o.place(meeting); err != nil {
		return nil, err
	}
	forward, network, err := o.openNetwork(ctx, cfg, spec, data.Batch, p.err)
	if err != nil {
		return nil, err
	}
	defer network.Close()
	options := evaluate.Options{Metric: m, Batch: data.Batch, Workers: data.Workers}
	if o.workers >= 0 {
		options.Workers = o.workers
	}
	if meeting != nil {
		leave, err := meeting.share(ctx, &options)
		if err != nil {
			return nil, err
		}
		defer leave()
	}
	if o.dump != "" {
		dump, err := evaluate.CreateDump(o.dump)
		if err != nil {
			return nil, err
		}
		options.Row = dump.Write
		defer func() { err = errors.Join(err, p.endDump(dump, r != nil)) }()
	}
	begin := time.Now()
	options.Progress = p.progress(set.Len(), data.Batch, how.LogInterval)
	if r, err = evaluate.Run(ctx, set, forward, options); err != nil {
		return nil, err
	}
	p.timing(set.Len(), time.Since(begin))
	return r, nil
}

// place chooses GPU and cores of a process. One that is alone has what the flags
// say.
func (o *testOptions) place(m *meeting) error {
	var world *launch.World
	if m != nil {
		world = &m.world
		o.engine.threads = cmp.Or(o.engine.threads, threadsOf(world))
	}
	if world == nil && o.ranks.gpus == "" {
		return nil
	}
	d, err := o.ranks.deviceOf(world, bool(*o.engine.useGPU))
	o.engine.gpu = d.Index
	return err
}

// share lets a test score this rank's part of the list. Rows travel by Gloo:
// they are on the CPU whatever computes them.
func (m *meeting) share(ctx context.Context, o *evaluate.Options) (leave func(), err error) {
	session, err := torch.NewSession(torch.SessionOptions{Threads: 1})
	if err != nil {
		return nil, err
	}
	group, err := m.join(ctx, session)
	if err != nil {
		session.Close()
		return nil, err
	}
	o.Rank, o.Size = m.rank(), m.size()
	o.Gather = func(ctx context.Context, rows []byte) ([][]byte, error) {
		return group.Gather(ctx, "rows of the list", rows)
	}
	return func() { group.Close(); session.Close() }, nil
}

// prepareOutput finds out before hours of work that a report cannot be written.
func (o *testOptions) prepareOutput() error {
	if o.output == "" {
		return nil
	}
	if err := os.MkdirAll(o.output, 0o777); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	return nil
}

// endDump gives a dump its name, or says where an unfinished one is.
func (p *testPrinter) endDump(d *evaluate.Dump, whole bool) error {
	if whole {
		return d.Finish()
	}
	left, err := d.Close()
	if left != "" {
		fmt.Fprintf(p.err, "pptsn: the scores so far are in %s (pptsn test --from %s)\n", left, left)
	}
	return err
}
