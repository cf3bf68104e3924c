package check

import (
	"context"
	"encoding/hex"
	"errors"
	"iter"
	"os"

	"github.com/pptsn/pptsn/internal/ordered"
	"github.com/pptsn/pptsn/probe"
)

// decode is the second pass: every file, as a whole.
func (r *run) decode(ctx context.Context) (err error) {
	if r.Quick {
		return nil
	}
	if r.clips, err = newSpool(r.work); err != nil {
		return err
	}
	chosen := r.sample.chosen()
	done, total := int64(0), int64(0)
	for _, l := range r.lists {
		total += l.lines
	}
	for i, l := range r.lists {
		if l.found[1], err = newSpool(r.work); err != nil {
			return err
		}
		var failed error
		work := func(ctx context.Context, c clipLine) decoded {
			return r.look(ctx, l, c, chosen[place{uint32(i), uint32(c.N)}])
		}
		for d := range ordered.Map(ctx, r.present(l, &failed), r.Workers, 4*r.Workers, work) {
			if d.err != nil {
				return d.err
			}
			if err := r.take(i, &d); err != nil {
				return err
			}
			done++
			r.Progress("decode", done, total)
		}
		if failed != nil {
			return failed
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// present yields the lines whose files are there.
func (r *run) present(l *list, failed *error) iter.Seq[clipLine] {
	return func(yield func(clipLine) bool) {
		known, err := l.found[0].cursor()
		if err != nil {
			*failed = err
			return
		}
		var held []Finding
		for c, err := range l.scan() {
			if err == nil {
				held, err = known.take(held[:0], c.N)
			}
			if err != nil {
				*failed = err
				return
			}
			if !gone(held) && !yield(c) {
				return
			}
		}
	}
}

// gone reports whether there is nothing to decode.
func gone(found []Finding) bool {
	for _, f := range found {
		switch f.Kind {
		case BadLine, Missing, Unreadable:
			return true
		}
	}
	return false
}

// decoded is a clip after the second look at it.
type decoded struct {
	clipLine
	found      []Finding
	clip       clipFacts
	pictures   key // hash of what was decoded; zero: nothing was
	content    key // hash of the bytes
	picture    *cell
	remembered bool // it came from the cache
	err        error
}

// clipFacts is a line of clips.jsonl.
type clipFacts struct {
	Path     string  `json:"path"`
	List     string  `json:"list"`
	Line     int     `json:"line"`
	Bytes    int64   `json:"bytes"`
	SHA256   string  `json:"sha256,omitempty"`   // of a file
	Pictures string  `json:"pictures,omitempty"` // hash of the decoded pictures
	Frames   int     `json:"frames"`
	Seconds  float64 `json:"seconds,omitempty"` // of a video
}

// look decodes a clip. Only the context's end is an error.
func (r *run) look(ctx context.Context, l *list, c clipLine, shown bool) decoded {
	d := decoded{clipLine: c, clip: clipFacts{Path: c.path, List: l.File, Line: c.N}}
	var err error
	if l.Frames {
		err = r.lookFolder(ctx, l, &d, shown)
	} else {
		err = r.lookVideo(ctx, l, &d, shown)
	}
	switch {
	case ctx.Err() != nil:
		d.err = ctx.Err()
	case errors.Is(err, os.ErrNotExist):
		d.found = []Finding{{Kind: Missing, Message: "not there any more"}}
	case err != nil:
		d.found = []Finding{{Kind: Unreadable, Message: err.Error()}}
	}
	return d
}

func (r *run) lookVideo(ctx context.Context, l *list, d *decoded, shown bool) error {
	o := probe.Options{Timeout: r.Timeout}
	if shown {
		o.Thumb = thumbSide
	}
	f, known, err := r.Cache.Facts(ctx, d.path, o)
	if err != nil {
		return err
	}
	d.remembered, d.found = known, r.judge(l, &f)
	if f.Size > 0 {
		d.clip.Bytes, d.clip.SHA256, d.content = f.Size, hex.EncodeToString(f.SHA256[:]), key(f.SHA256[:16])
	}
	if f.Err == nil {
		d.pictures = f.Pictures
		d.clip.Pictures, d.clip.Frames, d.clip.Seconds = hex.EncodeToString(f.Pictures[:]), f.Frames, seconds(&f)
	}
	d.picture = r.cell(l, f.Thumb, d.clipLine, frames(f.Frames))
	return nil
}

// seconds is how long the frames take that could be decoded.
func seconds(f *probe.Facts) float64 {
	if f.Info.FPS > 0 {
		return float64(f.Frames) / f.Info.FPS
	}
	return f.Info.Duration.Seconds()
}

// take keeps what is known of a clip, in the order of the list.
func (r *run) take(i int, d *decoded) error {
	l := r.lists[i]
	for _, f := range d.found {
		f.Level = r.level(f.Kind)
		if f.Kind == TooShort && d.clip.Frames < r.MinFrames {
			f.Level = Error
		}
		if err := l.found[1].add(l.about(d.clipLine, f)); err != nil {
			return err
		}
	}
	r.summary.Bytes += d.clip.Bytes
	if d.remembered {
		r.summary.Remembered++
	} else {
		r.summary.Decoded++
	}
	l.frames += int64(d.clip.Frames)
	l.seconds += d.clip.Seconds
	if d.picture != nil {
		r.sheet.add(d.Label, d.picture)
	}
	if err := r.clips.add(d.clip); err != nil {
		return err
	}
	return r.keep(place{uint32(i), uint32(d.N)}, d)
}

// keep adds the records that are compared.
func (r *run) keep(at place, d *decoded) error {
	content := d.content
	if content == (key{}) {
		content = d.pictures // a folder
	}
	if content == (key{}) {
		return nil
	}
	if err := r.seen.add(record{key: hash(r.absolute(d.path)), at: at, also: content}); err != nil {
		return err
	}
	if d.pictures == (key{}) {
		return nil
	}
	return r.same.add(record{key: d.pictures, at: at, label: int32(d.Label), also: content})
}
