package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/torch"
)

// torchRunner hands 8-bit views over, a piece at a time, and has them
// normalised where they are computed.
type torchRunner struct {
	*torch.Engine
	in input
}

func openTorch(ctx context.Context, g *graph.Graph, w graph.Weights, in input, o Options) (runner, error) {
	d, err := torchType(o)
	if err != nil {
		return nil, err
	}
	session := torch.SessionOptions{Threads: o.Threads}
	if o.GPU {
		session.Device = torch.CUDA(o.Device)
	}
	if session.Threads == 0 {
		session.Threads = torch.Cores()
	}
	e, err := torch.Compile(ctx, g, w, torch.EngineOptions{Session: session, Network: torch.NetworkOptions{DType: d}})
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	return torchRunner{e, in}, nil
}

// torchType is the type of a network's numbers. What libtorch computes in no
// case, choose has refused.
func torchType(o Options) (torch.DType, error) {
	switch o.Precision {
	case graph.BF16:
		if !o.GPU && !o.Force {
			if err := onednn.Supports(o.Precision); err != nil {
				return 0, fmt.Errorf("engine: torch: %w", err)
			}
		}
		return torch.BFloat16, nil
	case graph.FP16:
		return torch.Float16, nil
	}
	return torch.Float32, nil
}

// Scores implements runner.
func (r torchRunner) Scores(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
	b, err := r.in.batch(clips)
	if err != nil {
		return nil, err
	}
	normalize := clips[0].Normalization()
	for _, c := range clips {
		if c.Normalization() != normalize {
			return nil, errors.New("engine: clips that are normalised in different ways in one call: give them one after the other")
		}
	}
	out, err := r.RunPixels(ctx, torch.Pixels{Shape: b.shape, Normalize: normalize, Fill: func(dst []byte, from, to int) error {
		b.pixels(dst, from, to)
		return ctx.Err()
	}})
	if err != nil {
		return nil, err
	}
	return b.scores(out[0]), nil
}

// pixels is fill for views of bytes, [H, W, 3] each.
func (b batch) pixels(dst []byte, from, to int) {
	size := 3 * b.h * b.w
	for from < to {
		c, first := b.clips[from/b.views], from%b.views
		n := min(to-from, b.views-first)
		c.Pixels(dst, first, first+n)
		dst, from = dst[n*size:], from+n
	}
}
