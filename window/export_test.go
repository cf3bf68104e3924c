package window

import (
	"context"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
)

// Read goes through a video without a network. It returns the most pictures that
// were held at a time and how many were scaled.
func Read(ctx context.Context, f *video.File, spec clip.Spec, o Options, take func(Window)) (most, scaled int, err error) {
	r := newReader(f, spec, o)
	scale := r.scale
	r.scale = func(m *frame.RGB) (*frame.RGB, error) {
		scaled++
		return scale(m)
	}
	err = r.read(ctx, func(j job) error {
		take(j.w)
		return nil
	})
	return r.most, scaled, err
}
