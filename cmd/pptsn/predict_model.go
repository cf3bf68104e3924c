package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/pptsn/pptsn"
	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/labels"
)

// open loads the model. A configuration fills in what a model that pptsn did
// not export lacks.
func (o *predictOptions) open(warn io.Writer) (*pptsn.Model, error) {
	cfg, err := o.loadConfig()
	if err != nil {
		return nil, err
	}
	b, err := o.openBundle()
	if err != nil {
		return nil, err
	}
	opt := pptsn.Options{TopK: cmp.Or(o.topK, 1), Batch: o.batch, Preset: pptsn.Preset(o.preset)}
	if opt.Engine, err = o.engine.options(scalesOf(b)); err != nil {
		return nil, fmt.Errorf("%s: %w", b.Path, err)
	}
	if cfg != nil {
		if err := o.useConfig(cfg, b, &opt, warn); err != nil {
			return nil, err
		}
	}
	if o.labels != "" {
		if opt.Labels, err = labels.Read(o.labels); err != nil {
			return nil, err
		}
	}
	m, err := pptsn.New(b, opt)
	if errors.Is(err, pptsn.ErrNoPreprocess) {
		return nil, fmt.Errorf("%w (--config CONFIG)", err)
	}
	if err != nil {
		return nil, err
	}
	o.engine.explain(warn, m.Engine())
	return m, nil
}

// scalesOf are those of a quantised model.
func scalesOf(b *bundle.Bundle) graph.Scales {
	if b.Manifest == nil {
		return nil
	}
	return b.Manifest.Scales
}

func (o *predictOptions) loadConfig() (*config.Config, error) {
	if o.config == "" {
		if len(o.overrides) > 0 {
			return nil, usagef("--override changes a configuration: name it with --config")
		}
		return nil, nil
	}
	return config.Load(o.config, o.overrides)
}

func (o *predictOptions) openBundle() (*bundle.Bundle, error) {
	if o.model != "" {
		return bundle.Open(o.model)
	}
	return bundle.OpenFiles(o.program, o.weights)
}

func (o *predictOptions) useConfig(cfg *config.Config, b *bundle.Bundle, opt *pptsn.Options, warn io.Writer) error {
	inference, err := cfg.Inference()
	if err != nil {
		return err
	}
	opt.TopK = cmp.Or(o.topK, inference.TopK, 1)
	if b.Manifest == nil {
		opt.Preprocess = &inference.Clip
		opt.Labels, err = classNames("", cfg, b.Classes())
		return err
	}
	if !reflect.DeepEqual(inference.Clip, b.Manifest.Preprocess) {
		fmt.Fprintf(warn, "pptsn: %s prepares videos otherwise than the model was exported for: the model's way is used (export again to change it)\n", o.config)
	}
	return nil
}
