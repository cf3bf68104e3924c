package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/quantize"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// A benchSubject is a network to measure.
type benchSubject struct {
	name    string
	graph   *graph.Graph
	weights graph.Weights
	scales  graph.Scales // nil: not quantised
	views   int          // of a video
	h, w    int          // pixels of a view
}

// noiseSeed makes the noise and the random weights the same each time.
const noiseSeed = 5

// subject opens the model or draws a network at random.
func (o *benchOptions) subject(ctx context.Context) (*benchSubject, error) {
	if o.random {
		return o.randomSubject(ctx)
	}
	b, err := bundle.Open(o.model)
	if err != nil {
		return nil, err
	}
	s := &benchSubject{name: b.Graph.Name, graph: b.Graph, weights: b.Weights}
	shape := b.Graph.Inputs[0].Shape
	views := 1
	if !b.PerView() {
		views = shape[1]
	}
	s.views, s.h, s.w = known(views, 25), known(shape[len(shape)-2], 224), known(shape[len(shape)-1], 224)
	if m := b.Manifest; m != nil {
		s.name, s.scales, s.views = networkName(m.Network), m.Scales, m.Preprocess.Views()
		s.h, s.w = m.Preprocess.Size()
	}
	return s, nil
}

// known is a dimension, or what stands for one that is free.
func known(dim, otherwise int) int {
	if dim == graph.Unknown {
		return otherwise
	}
	return dim
}

// randomSubject builds a configuration's network for one view a video.
func (o *benchOptions) randomSubject(ctx context.Context) (*benchSubject, error) {
	cfg, err := config.Load(cmp.Or(o.config, defaultConfig), o.overrides)
	if err != nil {
		return nil, err
	}
	model, err := cfg.Model()
	if err != nil {
		return nil, err
	}
	inference, err := cfg.Inference()
	if err != nil {
		return nil, err
	}
	s := &benchSubject{name: networkName(model.Network), views: 1}
	s.h, s.w = inference.Clip.Size()
	net, err := tsn.Build(model.Network, s.views, s.h, s.w)
	if err != nil {
		return nil, err
	}
	s.graph, s.weights = net.Graph, net.Init(0.01, noiseSeed)
	if s.scales, err = s.noiseScales(ctx, o.engine.threads); err != nil {
		return nil, fmt.Errorf("scales for int8: %w", err)
	}
	return s, nil
}

// noiseScales fit a video of noise.
func (s *benchSubject) noiseScales(ctx context.Context, threads int) (graph.Scales, error) {
	clips, err := s.noise(ctx, 1)
	if err != nil {
		return nil, err
	}
	x := tensor.FromFloat32(clips[0].Views(nil, 0, s.views), s.shape(1)...)
	return quantize.Rough(ctx, s.graph, s.weights, threads, x)
}

// noise is n videos of which each pixel is random.
func (s *benchSubject) noise(ctx context.Context, n int) ([]*clip.Clip, error) {
	spec := clip.Spec{
		Sampling: clip.Sampling{Mode: clip.SelectLeft, Segments: s.views},
		Steps:    []clip.Step{{Normalize: &clip.Normalize{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}}},
	}
	clips := make([]*clip.Clip, n)
	for i := range clips {
		src := noiseSource{rand.New(rand.NewPCG(noiseSeed, uint64(i))), s.views, s.h, s.w}
		var err error
		if clips[i], err = clip.Load(ctx, src, spec, clip.Options{}); err != nil {
			return nil, err
		}
	}
	return clips, nil
}

type noiseSource struct {
	rng     *rand.Rand
	n, h, w int
}

// Len implements clip.Source.
func (s noiseSource) Len() int { return s.n }

// Frames implements clip.Source.
func (s noiseSource) Frames(_ context.Context, indices []int) ([]*frame.RGB, error) {
	pictures := make([]*frame.RGB, len(indices))
	for i := range pictures {
		pictures[i] = frame.NewRGB(s.w, s.h)
		for j := range pictures[i].Pix {
			pictures[i].Pix[j] = byte(s.rng.Uint32())
		}
	}
	return pictures, nil
}

// shape is the network's input for n videos.
func (s *benchSubject) shape(n int) []int {
	if len(s.graph.Inputs[0].Shape) == 4 {
		return []int{n * s.views, 3, s.h, s.w}
	}
	return []int{n, s.views, 3, s.h, s.w}
}

// flops are the operations of one view.
func (s *benchSubject) flops() (float64, error) {
	bound, err := s.graph.Bind(s.shape(1))
	if err != nil {
		return 0, err
	}
	return float64(bound.FLOPs()) / float64(s.views), nil
}

func networkName(s tsn.Spec) string { return fmt.Sprintf("%s%d", s.Family, s.Layers) }
