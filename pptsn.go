// Package pptsn says what happens in a video: it opens a model that was
// exported from PP-TSN or TSN and classifies video files, on the CPU or a GPU.
//
//	m, err := pptsn.Open("inference/ppTSN", pptsn.Options{})
//	if err != nil {
//		return err
//	}
//	defer m.Close()
//	res, err := m.Classify(ctx, "clip.mp4")
//	if err != nil {
//		return err
//	}
//	fmt.Println(res.Top[0].Name, res.Top[0].Score)
//
// The command pptsn (cmd/pptsn) exports models, and does the same from the
// command line.
package pptsn

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
)

// Options tunes a model. The zero value suits a model that pptsn exported.
type Options struct {
	Preprocess *clip.Spec     // how a video becomes the network's input; nil: as the model says
	Preset     Preset         // changes how many views that has; "": none
	Labels     []string       // class names in the order of the scores; nil: the model's own, if it has any
	TopK       int            // classes in a Result; 0 means 5
	Batch      int            // the most videos that go through the network together, for engines that must know; 0 means 1
	Engine     engine.Options // what runs the network; the zero value is the fastest on the CPU, in float32
}

// A Model is an exported network, ready to run. Its methods may be called by
// many goroutines at once: videos are decoded in parallel, the network takes
// one at a time on all its cores.
type Model struct {
	bundle *bundle.Bundle
	engine *engine.Engine
	spec   clip.Spec
	labels []string
	topK   int
	scales graph.Scales // of what is computed in 8 bits
}

// Open opens an exported model: the folder that holds it, or the common path
// of its files without extension, such as inference/ppTSN/ppTSN.
func Open(path string, o Options) (*Model, error) {
	b, err := bundle.Open(path)
	if err != nil {
		return nil, err
	}
	return New(b, o)
}

// OpenFiles opens an exported model whose program and weights are named one by
// one, as PaddleVideo's predict does. A manifest beside the program is used.
func OpenFiles(program, weights string, o Options) (*Model, error) {
	b, err := bundle.OpenFiles(program, weights)
	if err != nil {
		return nil, err
	}
	return New(b, o)
}

// New returns a model from one that is in memory.
func New(b *bundle.Bundle, o Options) (*Model, error) {
	copied := *b
	m := &Model{bundle: &copied, topK: cmp.Or(o.TopK, 5)}
	if err := m.configure(o); err != nil {
		return nil, fmt.Errorf("%s: %w", b.Path, err)
	}
	if o.Engine.MaxViews == 0 {
		o.Engine.MaxViews = max(o.Batch, 1) * m.spec.Views()
	}
	if o.Engine.Precision == graph.INT8 {
		m.scales = o.Engine.Scales
	}
	run, err := engine.Open(context.Background(), m.bundle.Graph, b.Weights, o.Engine)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.Path, err)
	}
	m.engine = run
	return m, nil
}

// ErrNoPreprocess reports a model that does not say how a video becomes its
// input, as is the case with those that PaddleVideo exported.
var ErrNoPreprocess = errors.New("the model does not say how to prepare a video: name the configuration that it was exported with")

// configure settles preprocessing and labels, and checks that they fit the
// network.
func (m *Model) configure(o Options) error {
	if m.bundle.Manifest != nil {
		m.spec, m.labels = m.bundle.Manifest.Preprocess, m.bundle.Manifest.Labels
	} else if o.Preprocess == nil {
		return ErrNoPreprocess
	}
	if o.Preprocess != nil {
		m.spec = *o.Preprocess
	}
	if o.Labels != nil {
		m.labels = o.Labels
	}
	if o.Preset != "" {
		if err := m.apply(o.Preset); err != nil {
			return err
		}
	}
	if err := m.bundle.Fits(m.spec); err != nil {
		return err
	}
	if n := m.bundle.Classes(); len(m.labels) > 0 && len(m.labels) != n {
		return fmt.Errorf("%d labels for a network of %d classes", len(m.labels), n)
	}
	return nil
}

// Close frees the network. It may be called twice; Classify fails afterwards.
func (m *Model) Close() error { return m.engine.Close() }

// Preprocess is how the model sees a video.
func (m *Model) Preprocess() clip.Spec { return m.spec }

// Classes is the number of classes.
func (m *Model) Classes() int { return m.bundle.Classes() }

// TopK is the number of classes in a Result.
func (m *Model) TopK() int { return min(m.topK, m.Classes()) }

// Engine is what runs the network.
func (m *Model) Engine() *engine.Engine { return m.engine }
