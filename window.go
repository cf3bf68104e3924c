package pptsn

import (
	"context"
	"fmt"
	"time"

	"github.com/pptsn/pptsn/video"
	"github.com/pptsn/pptsn/window"
)

// WindowOptions says how a long video is cut into windows, see package window.
// Length and Stride must be given.
type WindowOptions struct {
	Length time.Duration // of a window
	Stride time.Duration // from a window's start to the next one's
	Batch  int           // windows that the network gets at once; 0 means 1
	// Each, unless it is nil, is given the windows in order, as soon as they are
	// classified. An error of it ends the work and is returned as it is.
	Each func(Window) error
}

// A Window is what a model says of one part of a video.
type Window struct {
	Index, Of  int           // which of the windows, from 0, and their number as far as it is known
	Start, End time.Duration // since the first frame; half open
	Frames     []int         // numbers of the frames that were looked at, from 0
	Top        []Class       // likeliest first
}

// A Segment is a part of a video in which one class was the likeliest; its Score
// is the mean over the segment.
type Segment struct {
	Start, End time.Duration // since the first frame; half open
	Class
}

// ClassifyWindows says what happens in the parts of a long video: it classifies
// windows of it, each as if it were a file of its own, and returns the segments that
// follow from them, see [window.Merger]. The file is decoded once while the
// network computes, and memory does not follow its length.
//
// A video that is shorter than a window is one window. Errors are those of
// Classify; windows before a place that cannot be decoded were given to Each.
func (m *Model) ClassifyWindows(ctx context.Context, path string, o WindowOptions) ([]Segment, error) {
	f, err := video.Open(ctx, path, video.Options{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	segments := window.NewMerger(o.Stride)
	var taken error // what o.Each said
	take := func(w window.Window, scores []float32) error {
		p := m.probabilities(scores)
		top, err := rank(p, m.topK, m.labels)
		if err != nil {
			return err
		}
		segments.Add(w, p)
		if o.Each != nil {
			taken = o.Each(Window{Index: w.Index, Of: w.Of, Start: w.Start, End: w.End, Frames: w.Chosen, Top: top})
		}
		return taken
	}
	err = window.Run(ctx, f, m.spec, window.Options{Length: o.Length, Stride: o.Stride, Batch: o.Batch}, m.engine.Scores, take)
	switch {
	case taken != nil:
		return nil, taken
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m.named(segments.Finish()), nil
}

// named adds the classes' names.
func (m *Model) named(segments []window.Segment) []Segment {
	out := make([]Segment, len(segments))
	for i, s := range segments {
		out[i] = Segment{Start: s.Start, End: s.End, Class: Class{Index: s.Class, Score: s.Score}}
		if m.labels != nil {
			out[i].Name = m.labels[s.Class]
		}
	}
	return out
}
