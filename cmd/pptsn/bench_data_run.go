package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/internal/turns"
	"github.com/pptsn/pptsn/probe"
)

// A dataBench is a measurement while it goes on.
type dataBench struct {
	benchDataOptions
	err      io.Writer
	known    *probe.Cache
	variants []*benchVariant
	bad      int // clips of all variants
}

// A benchVariant is one configuration that is measured.
type benchVariant struct {
	name   string
	list   string
	frames bool // the list's lines are folders of pictures
	batch  int
	clips  *dataset.Set
	of     int      // clips of the list
	files  []string // of the clips
	bytes  int64    // of the files
	series []*benchSeries
}

// A benchSeries is all turns of one number of workers.
type benchSeries struct {
	workers int
	loader  *dataset.Loader
	passes  []dataset.Pass
}

func (b *dataBench) open(name string, overrides []string) error {
	cfg, err := config.Load(b.config, overrides)
	if err != nil {
		return err
	}
	use := config.Use(b.use)
	spec, err := cfg.Clip(use)
	if err != nil {
		return err
	}
	set, data, err := openData(cfg, use, spec, 0, b.known)
	if err != nil {
		return err
	}
	v := &benchVariant{name: name, list: data.List, frames: data.Frames, clips: set.Spread(b.clips), of: set.Len()}
	v.batch = min(data.Batch, v.clips.Len())
	v.look(data)
	options := dataset.LoaderOptions{Batch: v.batch}
	if training, err := cfg.Training(); err == nil && use == config.Train { // the section is optional here
		options.Mix = (*dataset.Mix)(training.Mix)
	}
	first, err := dataset.NewLoader(v.clips, options)
	if err != nil {
		return err
	}
	for _, n := range b.workers {
		loader, err := first.WithWorkers(n)
		if err != nil {
			return err
		}
		v.series = append(v.series, &benchSeries{workers: n, loader: loader})
	}
	b.variants = append(b.variants, v)
	return nil
}

// look finds the files of the clips. Absent ones are found again when they are
// read.
func (v *benchVariant) look(data config.Data) {
	for i := range v.clips.Len() {
		s := v.clips.Sample(i)
		if !data.Frames {
			v.files = append(v.files, s.Path)
			continue
		}
		for n := range s.Frames {
			v.files = append(v.files, filepath.Join(s.Path, data.Pattern.Name(n+1)))
		}
	}
	for _, path := range v.files {
		if info, err := os.Stat(path); err == nil {
			v.bytes += info.Size()
		}
	}
}

// measure lets all numbers of workers of all variants take turns.
func (b *dataBench) measure(ctx context.Context) error {
	m := newMeter(b.err, "bench", "turns", b.repeat*len(b.variants)*len(b.workers))
	defer m.close()
	for _, v := range b.variants {
		if err := b.warmUp(ctx, v, m); err != nil {
			return err
		}
	}
	for _, i := range turns.Order(b.repeat, len(b.workers)*len(b.variants)) {
		v := b.variants[i%len(b.variants)]
		if err := b.turn(ctx, v, v.series[i/len(b.variants)]); err != nil {
			return err
		}
		m.add(1)
	}
	return nil
}

// warmUp reads all clips once, and names those that cannot be read.
func (b *dataBench) warmUp(ctx context.Context, v *benchVariant, m *meter) error {
	p, err := v.series[len(v.series)-1].loader.Measure(ctx, 0)
	if err != nil {
		return err
	}
	const named = 5
	for _, bad := range p.Bad[:min(named, len(p.Bad))] {
		m.say("pptsn: %v", bad.Err)
	}
	b.bad += len(p.Bad)
	if p.Clips == 0 {
		return fmt.Errorf("%s: none of %d clips can be read", v.list, v.clips.Len())
	}
	return nil
}

func (b *dataBench) turn(ctx context.Context, v *benchVariant, s *benchSeries) error {
	if b.cold {
		for _, path := range v.files {
			if err := dropFromCache(path); err != nil {
				return fmt.Errorf("--cold: %w", err)
			}
		}
	}
	p, err := s.loader.Measure(ctx, 0)
	if err != nil {
		return err
	}
	if p.Clips == 0 {
		return fmt.Errorf("%s: none of %d clips can be read any more", v.list, v.clips.Len())
	}
	s.passes = append(s.passes, p)
	return nil
}
