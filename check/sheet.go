package check

import (
	"context"
	"fmt"
	"html/template"
	"maps"
	"slices"

	"github.com/pptsn/pptsn/contact"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/probe"
)

// thumbSide is the long side of the page's pictures in pixels.
const thumbSide = 128

// A cell is a picture of the page.
type cell struct {
	URI   template.URL
	Name  string
	Place string // LIST:LINE
	Text  string // frames, or what is wrong
}

// cell is nil without a picture.
func (r *run) cell(l *list, img *frame.RGB, c clipLine, text string) *cell {
	if img == nil {
		return nil
	}
	uri, err := contact.DataURI(img, thumbSide)
	if err != nil {
		return nil
	}
	return &cell{URI: uri, Name: c.Name, Place: fmt.Sprintf("%s:%d", l.File, c.N), Text: text}
}

// A sheet is the pictures of each class, and of bad clips.
type sheet struct {
	classes map[int][]*cell
	bad     []*cell
}

func (s *sheet) add(label int, c *cell) {
	if s.classes == nil {
		s.classes = map[int][]*cell{}
	}
	s.classes[label] = append(s.classes[label], c)
}

func (s *sheet) labels() []int { return slices.Sorted(maps.Keys(s.classes)) }

// shown are the findings that the page has room for.
type shown struct {
	levels [3][]Finding
	more   int64 // that it has not
}

// maxFindings of each level are on the page, maxBad of them with a picture.
const (
	maxFindings = 200
	maxBad      = 48
)

func (s *shown) add(f Finding) {
	held := &s.levels[f.Level.rank()]
	if len(*held) == maxFindings {
		s.more++
		return
	}
	*held = append(*held, f)
}

func (s *shown) all() []Finding { return slices.Concat(s.levels[:]...) }

// illustrate gets the pictures of bad clips.
func (r *run) illustrate(ctx context.Context) error {
	if r.Quick || r.Dir == "" {
		return nil
	}
	at := map[string]*cell{}
	for _, f := range slices.Concat(r.shown.levels[0], r.shown.levels[1]) {
		switch f.Kind {
		case BadLine, Missing, Unreadable:
			continue
		}
		place := fmt.Sprintf("%s:%d", f.List, f.Line)
		text := fmt.Sprintf("%s: %s", f.Kind, f.Message)
		if c := at[place]; c != nil {
			c.Text += "\n" + text
			continue
		}
		if f.Path == "" || len(r.sheet.bad) == maxBad {
			continue
		}
		c, err := r.badCell(ctx, f, text)
		if err != nil {
			return err
		}
		if c != nil {
			at[place] = c
			r.sheet.bad = append(r.sheet.bad, c)
		}
	}
	return nil
}

// badCell is nil where there is no picture. The error is the context's.
func (r *run) badCell(ctx context.Context, f Finding, text string) (*cell, error) {
	i := slices.IndexFunc(r.lists, func(l *list) bool { return l.File == f.List && l.Use == f.Use })
	l := r.lists[i]
	c := clipLine{path: f.Path}
	c.Name, c.N = f.Name, f.Line
	if l.Frames {
		return r.cell(l, l.middle(f.Path, max(f.Frames, 1)), c, text), nil
	}
	facts, _, err := r.Cache.Facts(ctx, f.Path, probe.Options{Timeout: r.Timeout, Thumb: thumbSide})
	if err != nil {
		return nil, ctx.Err()
	}
	return r.cell(l, facts.Thumb, c, text), nil
}
