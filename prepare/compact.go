package prepare

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/video"
)

// Compact makes a copy of each video that is quick to train from: smaller
// pictures, upright, with key frames close to each other, without sound. All frames
// are there, in their order and at their times.
type Compact struct {
	ShortSide int `json:"short_side"` // pixels that the shorter side is scaled down to; 0: as it is
	GOP       int `json:"gop"`        // frames from one key frame to the next, 1 to 65536
	CRF       int `json:"crf"`        // H.264's quality, 1 to 51; more is smaller and worse
}

// Run is that of Frames for copies: NAME.mp4, and NAME_compact.list with
// "path label" a line.
func (c Compact) Run(ctx context.Context, p *Plan, o RunOptions) (Summary, error) {
	return runPlan(ctx, p, c, o)
}

func (c Compact) kind() string   { return "compact" }
func (c Compact) suffix() string { return ".mp4" }

func (c Compact) check(*Plan) error {
	if c.ShortSide < 0 || c.ShortSide == 1 || c.GOP < 1 || c.GOP > 1<<16 || c.CRF < 1 || c.CRF > 51 {
		return fmt.Errorf("short side %d, GOP %d, CRF %d: want 0 or 2 and up, 1 to 65536, 1 to 51", c.ShortSide, c.GOP, c.CRF)
	}
	return nil
}

func (c Compact) line(name string, _, label int) (string, error) {
	return dataset.FormatLine(name, 0, label)
}

func (c Compact) make(ctx context.Context, source, path string, rec record) (Made, error) {
	v, err := video.Open(ctx, source, video.Options{})
	if err != nil {
		return Made{}, err
	}
	defer v.Close()
	t := tape{path: path, c: c, small: shrinker{short: c.ShortSide, even: true}}
	defer t.abort()
	var m Made
	m.Faults, err = v.Each(ctx, t.add)
	if err != nil {
		return Made{}, err
	}
	if t.n == 0 {
		return Made{}, video.ErrNoFrames
	}
	rec.Pictures, m.Pictures = t.n, t.n
	text, err := rec.text()
	if err != nil {
		return Made{}, err
	}
	t.w.Note(text)
	if err := t.w.Close(); err != nil {
		return Made{}, err
	}
	m.Bytes, err = size(path)
	return m, err
}

func (c Compact) read(path string) (record, error) {
	text, err := video.ReadNote(path)
	if errors.Is(err, video.ErrNoNote) {
		return record{}, errForeign
	}
	if err != nil {
		return record{}, err
	}
	rec, err := parseRecord(text)
	if err != nil {
		return record{}, errForeign
	}
	return rec, nil
}

// A tape is one copy while it is written.
type tape struct {
	path  string
	c     Compact
	small shrinker
	w     *video.Writer // from the first picture on, which says the size
	n     int           // pictures
	pace  video.Pace
}

func (t *tape) add(p *video.Picture) error {
	img, err := p.RGB()
	if err != nil {
		return err
	}
	img = t.small.apply(img)
	if t.w == nil {
		t.w, err = video.Create(t.path, video.WriterOptions{Width: img.W, Height: img.H, GOP: t.c.GOP, CRF: t.c.CRF, FastDecode: true})
		if err != nil {
			return err
		}
	}
	t.n++
	return t.w.Write(img, t.pace.Next(p.Time))
}

func (t *tape) abort() {
	if t.w != nil {
		t.w.Abort()
	}
}

func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
