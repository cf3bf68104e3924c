package pptsn

import (
	"context"
	"fmt"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/video"
)

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
