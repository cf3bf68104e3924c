package window

import (
	"context"
	"time"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
)

// Annotate writes a copy of a video to the path out, an MP4 file as video.Writer
// makes it, with the captions drawn into the pictures while they last; they must
// be in order. All frames are there at their times, upright, sides cut to even
// numbers of pixels; there is no sound. threads are the encoder's. said is called
// after each frame, unless it is nil. After an error, and if ctx ends, nothing is
// left of the copy.
func Annotate(ctx context.Context, f *video.File, out string, captions []Caption, threads int, said func()) error {
	c := copier{out: out, captions: captions, threads: threads}
	defer c.abort()
	if _, err := f.Each(ctx, func(p *video.Picture) error {
		if err := c.add(p); err != nil {
			return err
		}
		if said != nil {
			said()
		}
		return nil
	}); err != nil {
		return err
	}
	if c.w == nil {
		return video.ErrNoFrames
	}
	return c.w.Close()
}

// A copier is the copy while it is written.
type copier struct {
	out      string
	captions []Caption // that have not ended yet
	threads  int
	clock    clock
	w        *video.Writer // from the first picture on, which says the size
	pace     video.Pace
	sign     *sign // of the first of captions; nil: not drawn yet
}

func (c *copier) add(p *video.Picture) error {
	img, err := p.RGB()
	if err != nil {
		return err
	}
	img = even(img)
	at := c.clock.time(p.Time)
	if err := c.caption(img, at); err != nil {
		return err
	}
	if c.w == nil {
		c.w, err = video.Create(c.out, video.WriterOptions{Width: img.W, Height: img.H, GOP: 50, Threads: c.threads})
		if err != nil {
			return err
		}
	}
	return c.w.Write(img, c.pace.Next(at))
}

// caption draws what is to be read at a time.
func (c *copier) caption(img *frame.RGB, at time.Duration) error {
	for len(c.captions) > 0 && c.captions[0].End <= at {
		c.captions, c.sign = c.captions[1:], nil
	}
	if len(c.captions) == 0 || at < c.captions[0].Start {
		return nil
	}
	if c.sign == nil {
		var err error
		if c.sign, err = newSign(c.captions[0].Text, img.W, img.H); err != nil {
			return err
		}
	}
	c.sign.draw(img)
	return nil
}

func (c *copier) abort() {
	if c.w != nil {
		c.w.Abort()
	}
}

// even cuts the last row and column off where their number is odd; a picture of
// one row or column is left to the writer to scale.
func even(m *frame.RGB) *frame.RGB {
	w, h := m.W&^1, m.H&^1
	if w == m.W && h == m.H {
		return m
	}
	if w == 0 || h == 0 {
		out := frame.NewRGB(max(w, 2), max(h, 2))
		frame.ResizeOpenCV(out, m)
		return out
	}
	out := frame.NewRGB(w, h)
	frame.Crop(out, m, 0, 0)
	return out
}
