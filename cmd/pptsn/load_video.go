package main

import (
	"context"
	"fmt"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/video"
)

// loadVideo decodes what a specification takes of a video file.
func loadVideo(ctx context.Context, path string, spec clip.Spec, o clip.Options) (*clip.Clip, error) {
	src, err := video.Open(ctx, path, video.Options{})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	c, err := clip.Load(ctx, src, spec, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
