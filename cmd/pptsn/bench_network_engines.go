package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
)

// A benchPlace is where a network can be computed, and in what by default.
type benchPlace struct {
	options    engine.Options // kind and device
	device     string
	precisions []graph.Precision
}

var benchPlaces = []benchPlace{
	{engine.Options{Kind: engine.OneDNN}, "cpu", []graph.Precision{graph.FP32, graph.BF16, graph.INT8}},
	{engine.Options{Kind: engine.ORT}, "cpu", []graph.Precision{graph.FP32, graph.INT8}},
	{engine.Options{Kind: engine.Torch}, "cpu", []graph.Precision{graph.FP32, graph.BF16}},
	{engine.Options{Kind: engine.ORT, OpenVINO: true}, "openvino", []graph.Precision{graph.FP32, graph.INT8}},
	{engine.Options{Kind: engine.Torch, GPU: true}, "cuda", []graph.Precision{graph.FP32, graph.FP16, graph.BF16}},
	{engine.Options{Kind: engine.ORT, GPU: true}, "cuda", []graph.Precision{graph.FP32, graph.FP16}},
	{engine.Options{Kind: engine.ORT, GPU: true, TensorRT: true}, "tensorrt", []graph.Precision{graph.FP32, graph.FP16, graph.INT8}},
}

// onCPU reports whether the cores compute.
func (p benchPlace) onCPU() bool { return !p.options.GPU }

// A networkBench is a measurement while it goes on.
type networkBench struct {
	benchOptions
	subject *benchSubject
	err     io.Writer
	inputs  [][]*clip.Clip // one of each --batch
	engines []*benchEngine
}

// A benchEngine is one way to compute the network.
type benchEngine struct {
	place     benchPlace
	precision graph.Precision
	run       *engine.Engine
}

func (e *benchEngine) String() string {
	return fmt.Sprintf("%s %s %s", e.place.options.Kind, e.place.device, e.precision)
}

func (b *networkBench) close() {
	for _, e := range b.engines {
		e.run.Close()
	}
}

// wanted reports whether the flags ask for a place, or for nothing in particular.
func (e *engineFlags) wanted(p benchPlace) bool {
	gpu, tensorRT, openVINO := bool(*e.useGPU), bool(*e.useTensorRT), bool(*e.useOpenVINO)
	o := p.options
	return (e.kind == string(engine.Auto) || e.kind == string(o.Kind)) &&
		(!gpu || o.GPU) && (!tensorRT || o.TensorRT) && (!openVINO || o.OpenVINO)
}

// open readies all engines that there are. Why others are absent is said: that is
// an error if none is left.
func (b *networkBench) open(ctx context.Context) error {
	common, err := b.engine.options(b.subject.scales)
	if err != nil {
		return err
	}
	var missing absences
	for _, p := range benchPlaces {
		if !b.engine.wanted(p) {
			continue
		}
		precisions := p.precisions
		if b.engine.precision != "" {
			precisions = []graph.Precision{common.Precision}
		}
		for _, precision := range precisions {
			e := &benchEngine{place: p, precision: precision}
			if err := b.openEngine(ctx, e, common); ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				missing.add(e, err)
				continue
			}
			b.engines = append(b.engines, e)
		}
	}
	if len(b.engines) == 0 {
		return missing.err()
	}
	missing.say(b.err)
	return nil
}

// absences say which engines there are not, and why: each reason once.
type absences []absence

type absence struct{ engines, reason string }

func (a *absences) add(e *benchEngine, err error) {
	for i := range *a {
		if (*a)[i].reason == err.Error() {
			(*a)[i].engines += ", " + e.String()
			return
		}
	}
	*a = append(*a, absence{e.String(), err.Error()})
}

func (a absences) say(w io.Writer) {
	for _, one := range a {
		fmt.Fprintf(w, "pptsn: not measured: %s: %s\n", one.engines, one.reason)
	}
}

func (a absences) err() error {
	lines := []string{"no engine can be measured"}
	for _, one := range a {
		lines = append(lines, one.engines+": "+one.reason)
	}
	return errors.New(strings.Join(lines, "\n  "))
}

var errNotQuantised = errors.New("the model is not quantised (see pptsn quantize)")

// openEngine readies an engine and lets it compute each batch, which warms it up.
func (b *networkBench) openEngine(ctx context.Context, e *benchEngine, common engine.Options) error {
	o := common
	o.Kind, o.GPU, o.TensorRT, o.OpenVINO = e.place.options.Kind, e.place.options.GPU, e.place.options.TensorRT, e.place.options.OpenVINO
	o.Precision, o.Scales = e.precision, nil
	o.MaxViews = slices.Max(b.batches) * b.subject.views
	if e.precision == graph.INT8 {
		if o.Scales = b.subject.scales; len(o.Scales) == 0 {
			return errNotQuantised
		}
	}
	var err error
	if e.run, err = engine.Open(ctx, b.subject.graph, b.subject.weights, o); err != nil {
		return err
	}
	b.engine.explain(b.err, e.run)
	for _, clips := range b.inputs {
		if _, err := e.run.Scores(ctx, clips); err != nil {
			return errors.Join(err, e.run.Close())
		}
	}
	return nil
}
