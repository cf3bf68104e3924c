package clip_test

import (
	"context"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
)

var (
	scale256  = clip.Step{Scale: &clip.Scale{ShortSide: 256, Round: true, Backend: clip.OpenCV}}
	tenCrop   = clip.Step{TenCrop: &clip.TenCrop{Size: 224}}
	center224 = clip.Step{CenterCrop: &clip.CenterCrop{Size: 224}}
	normalize = clip.Step{Normalize: &imageNet}
)

// A reel is a Source whose pictures exist already.
type reel []*frame.RGB

func (r reel) Len() int { return len(r) }

func (r reel) Frames(_ context.Context, indices []int) ([]*frame.RGB, error) {
	var out []*frame.RGB
	for _, i := range indices {
		out = append(out, r[i])
	}
	return out, nil
}

func newReel(n, w, h int) reel {
	r := make(reel, n)
	for i := range r {
		r[i] = anyFormula.frame(i, w, h)
	}
	return r
}

// BenchmarkClip prepares a whole clip of 25 frames on one goroutine, in chunks
// of ten views.
func BenchmarkClip(b *testing.B) {
	for _, bm := range []struct {
		name string
		w, h int
		crop clip.Step
	}{
		{"340x256 ten crops", 340, 256, tenCrop},
		{"320x240 ten crops", 320, 240, tenCrop},
		{"1280x720 ten crops", 1280, 720, tenCrop},
		{"320x240 centre", 320, 240, center224},
	} {
		b.Run(bm.name, func(b *testing.B) {
			src := newReel(25, bm.w, bm.h)
			spec := clip.Spec{
				Sampling: clip.Sampling{Mode: clip.Linspace, Segments: 25},
				Steps:    []clip.Step{scale256, bm.crop, normalize},
			}
			buf := make([]float32, 10*3*224*224)
			b.ReportAllocs()
			for b.Loop() {
				c, err := clip.Load(b.Context(), src, spec, clip.Options{})
				if err != nil {
					b.Fatal(err)
				}
				for v := 0; v < c.Len(); v += 10 {
					c.Views(buf, v, min(v+10, c.Len()))
				}
			}
		})
	}
}

func BenchmarkViews(b *testing.B) {
	c := load(b, &film{formula: anyFormula, n: 1, w: 340, h: 256}, tenCrop)
	buf := make([]float32, 3*224*224)
	for _, bm := range []struct {
		name string
		view int
	}{{"straight", 0}, {"mirrored", 1}} {
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				c.Views(buf, bm.view, bm.view+1)
			}
		})
	}
}
