// Package pptsn says what happens in a video: it opens a model that was
// exported from PP-TSN or TSN and classifies video files on the CPU.
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
	"time"

	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/video"
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

// Classify says what happens in the video file at path. Errors of the file are
// those of package video: errors.Is(err, video.ErrNoVideoStream) and so on.
func (m *Model) Classify(ctx context.Context, path string) (*Result, error) {
	begin := time.Now()
	c, err := m.Load(ctx, path)
	if err != nil {
		return nil, err
	}
	res, err := m.classify(ctx, c, time.Since(begin))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	res.File = path
	return res, nil
}

// ClassifySource is Classify for frames that come from elsewhere than a file.
func (m *Model) ClassifySource(ctx context.Context, src clip.Source) (*Result, error) {
	begin := time.Now()
	c, err := clip.Load(ctx, src, m.spec, clip.Options{})
	if err != nil {
		return nil, err
	}
	return m.classify(ctx, c, time.Since(begin))
}

func (m *Model) classify(ctx context.Context, c *clip.Clip, frames time.Duration) (*Result, error) {
	res, err := m.ClassifyClips(ctx, []*clip.Clip{c})
	if err != nil {
		return nil, err
	}
	res[0].Time.Frames = milliseconds(frames)
	return res[0], nil
}

// Load decodes the frames of a video file that the model looks at, and scales
// them: the first half of Classify.
func (m *Model) Load(ctx context.Context, path string) (*clip.Clip, error) {
	f, err := video.Open(ctx, path, video.Options{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := clip.Load(ctx, f, m.spec, clip.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// ClassifyClips is the second half of Classify: clips that were loaded as the
// model's preprocessing says go through the network together. Result i is that of
// clip i, without File and Time.Frames.
func (m *Model) ClassifyClips(ctx context.Context, clips []*clip.Clip) ([]*Result, error) {
	begin := time.Now()
	scores, err := m.engine.Scores(ctx, clips)
	if err != nil {
		return nil, err
	}
	took := milliseconds(time.Since(begin) / time.Duration(len(clips)))
	results := make([]*Result, len(clips))
	for i, c := range clips {
		top, err := rank(m.probabilities(scores[i]), m.topK, m.labels)
		if err != nil {
			return nil, err
		}
		results[i] = &Result{Top: top, Frames: c.Frames, Time: Times{Network: took}}
	}
	return results, nil
}
