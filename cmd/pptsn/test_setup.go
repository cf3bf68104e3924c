package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/evaluate"
	"github.com/pptsn/pptsn/labels"
	"github.com/pptsn/pptsn/probe"
	"github.com/pptsn/pptsn/tsn"
)

// metric says how to count. cfg may be nil.
func (o *testOptions) metric(cfg *config.Config) (evaluate.Metric, error) {
	m := evaluate.Metric{Worst: o.worst}
	if cfg == nil {
		if o.labels == "" {
			return m, nil
		}
		var err error
		if m.Names, err = labels.Read(o.labels); err != nil {
			return m, err
		}
		m.Classes = len(m.Names)
		return m, nil
	}
	how, err := cfg.Metric()
	if err != nil {
		return m, fmt.Errorf("%w: it says how a test counts, for example METRIC: {name: \"CenterCropMetric\"}", err)
	}
	model, err := cfg.Model()
	if err != nil {
		return m, err
	}
	m.TopK, m.ClipsPerVideo, m.Classes = how.TopK, how.ClipsPerVideo, model.Network.Classes
	m.Names, err = classNames(o.labels, cfg, m.Classes)
	return m, err
}

// openCache opens what is remembered about videos. It only saves time: that
// nothing can be written there is said, and that is all.
func openCache(stderr io.Writer) *probe.Cache {
	known, err := probe.OpenCache("")
	if err == nil {
		err = known.Check()
	}
	if err != nil {
		fmt.Fprintf(stderr, "pptsn: %v\n", err)
	}
	return known
}

// openData opens the list of a use. known may be nil.
func openData(cfg *config.Config, use config.Use, spec clip.Spec, classes int, known *probe.Cache) (*dataset.Set, config.Data, error) {
	data, err := cfg.Data(use)
	if err != nil {
		return nil, data, err
	}
	set, err := dataset.Open(dataset.Options{
		List: data.List, Prefix: data.Prefix, Frames: data.Frames, Suffix: data.Suffix, Pattern: data.Pattern,
		Spec: spec, Classes: classes, ClassesKey: cfg.ClassesKey(), Cache: known,
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (the list of DATASET.%s; another one: -o DATASET.%s.file_path=LIST -o DATASET.%s.data_prefix=FOLDER)", err, use, use, use)
	}
	return set, data, err
}

// openNetwork reads a checkpoint and readies it for clips of that kind, so many
// at a time.
func (o *testOptions) openNetwork(ctx context.Context, cfg *config.Config, spec clip.Spec, batch int, stderr io.Writer) (evaluate.Forward, io.Closer, error) {
	model, err := cfg.Model()
	if err != nil {
		return nil, nil, err
	}
	h, w := spec.Size()
	net, err := tsn.Build(model.Network, spec.Views(), h, w)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o.config, err)
	}
	weights, err := loadWeights(net, o.weights, cfg.ClassesKey())
	if err != nil {
		return nil, nil, err
	}
	how, err := o.engine.options(nil)
	if err != nil {
		return nil, nil, err
	}
	how.MaxViews = batch * spec.Views()
	e, err := engine.Open(ctx, net.Graph, weights, how)
	if err != nil {
		return nil, nil, err
	}
	o.engine.explain(stderr, e)
	return e.Scores, e, nil
}
