package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/tsn"
)

// seen is what package config reads of a variant's file.
type seen struct {
	Family     tsn.Family
	Smoothing  float64 // of the head, or of the distillation's labels
	Mixup      float64
	Cosine     bool
	Nesterov   bool
	WeightLR   float64
	BiasLR     float64
	OwnDecay   bool
	Segments   int
	Epochs     int
	Partners   string
	ClipNorm   float64
	Decay      float64
	TestViews  int
	TestCenter int
}

func TestVariantsAreWhatTheirNamesSay(t *testing.T) {
	base := seen{Family: tsn.TSN, WeightLR: 1, BiasLR: 1, Segments: 3, Epochs: 30, ClipNorm: 40, Decay: 5e-4, TestViews: 250, TestCenter: 3}
	pp := seen{Family: tsn.PPTSN, Smoothing: 0.1, Mixup: 0.2, Cosine: true, Nesterov: true, WeightLR: 5, BiasLR: 10, OwnDecay: true,
		Segments: 3, Epochs: 30, ClipNorm: 40, Decay: 5e-4, TestViews: 250, TestCenter: 3}
	change := func(s seen, f func(*seen)) seen { f(&s); return s }
	for name, want := range map[string]seen{
		"tsn":            base,
		"tsn-vd":         change(base, func(s *seen) { s.Family = tsn.PPTSN }),
		"tsn-smoothing":  change(base, func(s *seen) { s.Smoothing = 0.1 }),
		"tsn-mixup":      change(base, func(s *seen) { s.Mixup = 0.2 }),
		"tsn-cosine":     change(base, func(s *seen) { s.Cosine = true }),
		"tsn-nesterov":   change(base, func(s *seen) { s.Nesterov, s.WeightLR, s.BiasLR, s.OwnDecay = true, 5, 10, true }),
		"pptsn":          pp,
		"pptsn-evenhead": change(pp, func(s *seen) { s.WeightLR, s.BiasLR = 1, 1 }),
		"pptsn-dml":      change(pp, func(s *seen) { s.Partners = "peer" }),
		"pptsn-kd":       change(pp, func(s *seen) { s.Partners = "scores" }),
		"tsn-8seg":       change(base, func(s *seen) { s.Segments, s.TestCenter = 8, 8 }),
		"pptsn-8seg":     change(pp, func(s *seen) { s.Segments, s.TestCenter = 8, 8 }),
		"tsn-long":       change(base, func(s *seen) { s.Epochs = 90 }),
		"pptsn-long":     change(pp, func(s *seen) { s.Epochs = 90 }),
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, variantOf(name)); got != want {
				t.Errorf("%+v\nwant %+v", got, want)
			}
		})
	}
}

func read(t *testing.T, v variant) seen {
	t.Helper()
	c, center := load(t, v, true), load(t, v, false)
	m, err := c.Model()
	check(t, err)
	run, err := c.Training()
	check(t, err)
	d, err := c.Distillation()
	check(t, err)
	train, err := c.Clip(config.Train)
	check(t, err)
	test, err := c.Clip(config.Test)
	check(t, err)
	one, err := center.Clip(config.Test)
	check(t, err)
	o := run.Optimizer
	s := seen{Family: m.Network.Family, Smoothing: m.Head.LabelSmoothing, Cosine: o.LearningRate.WarmupCosine != nil, Nesterov: o.Nesterov,
		WeightLR: m.Head.WeightLR, BiasLR: m.Head.BiasLR, OwnDecay: m.Head.OwnDecay, Segments: train.Views(), Epochs: run.Epochs, ClipNorm: o.ClipNorm, Decay: o.WeightDecay,
		TestViews: test.Views(), TestCenter: one.Views()}
	if run.Mix != nil {
		s.Mixup = run.Mix.MixupAlpha
	}
	if d != nil {
		s.Partners, s.Smoothing = partners(d)
	}
	return s
}

// partners are what the student learns from, and the smoothing of its labels.
func partners(d *config.Distillation) (what string, smoothing float64) {
	if len(d.Peers) > 0 {
		what += "peer"
	}
	if len(d.Stored) > 0 {
		what += "scores"
	}
	for _, term := range d.Terms {
		if term.Of == distill.Student && term.Kind != distill.DML {
			smoothing = term.Smoothing
		}
	}
	return what, smoothing
}

func load(t *testing.T, v variant, tenCrop bool) *config.Config {
	t.Helper()
	text, err := task{variant: v, Split: "lists/fold-0", Name: v.Name, Kind: "runs"}.yaml(8, tenCrop)
	check(t, err)
	path := filepath.Join(t.TempDir(), "recipe.yaml")
	check(t, os.WriteFile(path, []byte(text), 0o644))
	c, err := config.Load(path, nil)
	check(t, err)
	return c
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
