// Package evaluate measures how well a network classifies a list of clips:
// accuracies with their confidence, which classes it takes for which, and the
// clips it is worst at. Scores can be dumped and counted again without the
// network.
//
// Letters: K classes, T views of a clip, H and W pixels. A row is one line of
// the list; a video is one row or, with MultiCropMetric, several.
//
// The counting follows PaddleVideo's paddlevideo/metrics/center_crop_metric.py
// and multi_crop_metric.py, except that a clip that cannot be read counts as
// wrong instead of being replaced by another.
package evaluate

import (
	"context"

	"github.com/pptsn/pptsn/clip"
)

// A Forward runs a network on n >= 1 clips: [n][K] scores before the softmax.
type Forward func(ctx context.Context, clips []*clip.Clip) ([][]float32, error)
