package check

import (
	"context"
	"iter"

	"github.com/pptsn/pptsn/dataset"
)

// finish is the third pass: all findings, in the order of the lists.
func (r *run) finish(ctx context.Context) error {
	next, stop := iter.Pull2(r.late.sorted())
	defer stop()
	late := &lateCursor{next: next}
	late.read()
	var err error
	if r.findings, err = newSpool(r.work); err != nil {
		return err
	}
	for i, l := range r.lists {
		if err := r.finishList(ctx, i, l, late); err != nil {
			return err
		}
	}
	r.conclude()
	return r.illustrate(ctx)
}

func (r *run) finishList(ctx context.Context, i int, l *list, late *lateCursor) error {
	var err error
	if l.clean, err = newSpool(r.work); err != nil {
		return err
	}
	var cursors [2]*cursor
	for k, s := range l.found {
		if cursors[k], err = s.cursor(); err != nil {
			return err
		}
	}
	var found []Finding
	for c, err := range l.scan() {
		if err != nil {
			return err
		}
		if c.N%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		found = found[:0]
		for _, k := range cursors {
			if found, err = k.take(found, c.N); err != nil {
				return err
			}
		}
		if found, err = late.take(r, found, place{uint32(i), uint32(c.N)}); err != nil {
			return err
		}
		if f, ok := r.mismatch(c); ok {
			found = append(found, f)
		}
		if err := r.settle(l, c, found); err != nil {
			return err
		}
	}
	for _, f := range r.balance(l) {
		f.List, f.Use, f.Level = l.File, l.Use, r.level(f.Kind)
		if err := r.report(f); err != nil {
			return err
		}
	}
	return nil
}

// settle reports what was found in a line and decides whether it stays.
func (r *run) settle(l *list, c clipLine, found []Finding) error {
	keep, frames := true, c.Frames
	for _, f := range found {
		if err := r.report(l.about(c, f)); err != nil {
			return err
		}
		keep = keep && !r.unusable(f)
		if f.Frames > 0 {
			frames = f.Frames
		}
	}
	if !keep || c.bad != "" {
		return nil
	}
	l.classes.of(c.Label).good++
	text := c.Text
	if frames != c.Frames {
		var err error
		if text, err = dataset.FormatLine(c.Name, frames, c.Label); err != nil {
			return err
		}
	}
	l.good++
	return l.clean.addText(text)
}

// about fills in what a finding is about.
func (l *list) about(c clipLine, f Finding) Finding {
	f.List, f.Line, f.Use = l.File, c.N, l.Use
	f.Name, f.Path, f.Label = c.Name, c.path, c.Label
	if c.bad != "" {
		f.Name = excerpt(c.Text)
	}
	return f
}

func excerpt(s string) string {
	if len(s) > 200 {
		return s[:200] + "..."
	}
	return s
}

// report counts a finding and hands it on.
func (r *run) report(f Finding) error {
	r.summary.count(f)
	r.Each(f)
	r.shown.add(f)
	return r.findings.add(f)
}

// A lateCursor reads what came of comparing, line by line of all lists.
type lateCursor struct {
	next func() (record, error, bool)
	held record
	ok   bool
	err  error
}

func (c *lateCursor) read() { c.held, c.err, c.ok = c.next() }

func (c *lateCursor) take(r *run, to []Finding, at place) ([]Finding, error) {
	last := uint32(0) // kind
	for c.ok && c.err == nil && c.held.at == at {
		if kind := c.held.code &^ 0xff; kind != last {
			f := r.finding(c.held)
			f.Level = r.level(f.Kind)
			to = append(to, f)
			last = kind
		}
		c.read()
	}
	return to, c.err
}
