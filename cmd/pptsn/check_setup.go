package main

import (
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/check"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/labels"
)

// options translates the flags.
func (o *checkOptions) options() (check.Options, error) {
	c := check.Options{
		Quick: o.quick, Strict: o.strict, MinFrames: o.minFrames, MinClips: o.minClips,
		Timeout: o.timeout, Workers: o.workers, Dir: o.output, Classes: o.classes,
	}
	for _, kind := range o.allow {
		c.Allow = append(c.Allow, check.Kind(kind))
	}
	var err error
	if o.config != "" {
		err = o.fromConfig(&c)
	} else {
		err = o.fromFlags(&c)
	}
	return c, err
}

// fromConfig takes the lists of a configuration.
func (o *checkOptions) fromConfig(c *check.Options) error {
	cfg, err := config.Load(o.config, o.overrides)
	if err != nil {
		return err
	}
	if model, err := cfg.Model(); err == nil && c.Classes == 0 {
		c.Classes = model.Network.Classes
	}
	if c.Names, err = classNames(o.labels, cfg, c.Classes); err != nil {
		return err
	}
	for _, name := range o.use {
		if !slices.Contains([]string{check.Train, check.Valid, check.Test}, name) {
			return usagef("--use %q: want train, valid or test", name)
		}
	}
	for _, use := range []config.Use{config.Train, config.Valid, config.Test} {
		if len(o.use) > 0 && !slices.Contains(o.use, string(use)) {
			continue
		}
		data, err := cfg.Data(use)
		if err != nil && len(o.use) > 0 {
			return err
		} else if err != nil {
			continue // a configuration need not have all
		}
		c.Lists = addList(c.Lists, checkList(cfg, use, data))
	}
	if len(c.Lists) == 0 {
		return fmt.Errorf("%s: no list: want DATASET.train, valid or test", o.config)
	}
	return nil
}

// checkList is the list of a use as check wants it.
func checkList(cfg *config.Config, use config.Use, data config.Data) check.List {
	l := check.List{Use: string(use), File: data.List, Prefix: data.Prefix, Frames: data.Frames, Pattern: data.Pattern}
	if !data.Frames {
		l.Suffix = data.Suffix
	}
	if spec, err := cfg.Clip(use); err == nil {
		l.Segments = spec.Sampling.Segments
	}
	return l
}

// addList adds a list; one that is used for validation and for test is one.
func addList(lists []check.List, l check.List) []check.List {
	for i := range lists {
		have := &lists[i]
		if have.Use != check.Train && have.File == l.File && have.Prefix == l.Prefix && have.Suffix == l.Suffix && have.Frames == l.Frames && have.Pattern == l.Pattern {
			have.Use += "+" + l.Use
			have.Segments = max(have.Segments, l.Segments)
			return lists
		}
	}
	return append(lists, l)
}

// fromFlags takes lists by themselves.
func (o *checkOptions) fromFlags(c *check.Options) error {
	pattern, err := clip.ParsePattern(o.pattern)
	if err != nil {
		return usagef("--pattern: %w", err)
	}
	if o.labels != "" {
		if c.Names, err = labels.Read(o.labels); err != nil {
			return err
		}
		if o.classes > 0 && o.classes != len(c.Names) {
			return usagef("--num_classes %d: %s has %d", o.classes, o.labels, len(c.Names))
		}
	}
	add := func(use string, files ...string) {
		for _, file := range files {
			c.Lists = append(c.Lists, check.List{Use: use, File: file, Prefix: o.prefix, Suffix: o.suffix, Frames: o.frames, Pattern: pattern})
		}
	}
	for i, file := range o.lists {
		add([]string{check.Train, check.Valid, check.Test}[min(i, 2)], file)
	}
	add(check.Train, o.train...)
	add(check.Valid, o.valid...)
	add(check.Test, o.test...)
	return nil
}
