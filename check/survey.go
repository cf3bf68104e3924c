package check

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/pptsn/pptsn/internal/ordered"
)

// statters look for files at a time: on a network each takes a round trip.
const statters = 16

// A looked is a line after the first look at it.
type looked struct {
	clipLine
	found []Finding
}

// survey is the first pass: lines, labels, and whether the files are there.
func (r *run) survey(ctx context.Context) error {
	total, done := int64(0), int64(0)
	for _, l := range r.lists {
		n, err := countLines(l.File)
		if err != nil {
			return err
		}
		total += n
	}
	for i, l := range r.lists {
		var err error
		if l.found[0], err = newSpool(r.work); err != nil {
			return err
		}
		var failed error
		chunks := chunked(l.scan(), 64, &failed)
		for chunk := range ordered.Map(ctx, chunks, statters, 2*statters, func(_ context.Context, lines []clipLine) []looked { return r.lookAll(l, lines) }) {
			for _, c := range chunk {
				if err := r.note(i, c); err != nil {
					return err
				}
			}
			done += int64(len(chunk))
			r.Progress("look", done, max(total, done))
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

func (r *run) lookAll(l *list, lines []clipLine) []looked {
	out := make([]looked, len(lines))
	for i, c := range lines {
		out[i] = looked{clipLine: c}
		if c.bad != "" {
			out[i].found = []Finding{{Kind: BadLine, Message: c.bad}}
			continue
		}
		if r.Classes > 0 && c.Label >= r.Classes {
			out[i].found = append(out[i].found, Finding{Kind: LabelRange, Message: fmt.Sprintf("label %d is not below the number of classes, %d", c.Label, r.Classes)})
		}
		if f, ok := l.there(c, r.Quick); !ok {
			out[i].found = append(out[i].found, f)
		}
	}
	return out
}

// note counts a line and keeps what was found, in the order of the list.
func (r *run) note(i int, c looked) error {
	l := r.lists[i]
	l.lines++
	for _, f := range c.found {
		f.Level = r.level(f.Kind)
		if err := l.found[0].add(l.about(c.clipLine, f)); err != nil {
			return err
		}
	}
	if c.bad != "" {
		return nil
	}
	at := place{uint32(i), uint32(c.N)}
	k := hash(r.absolute(c.path))
	l.classes.count(c.Label)
	r.folders.count(filepath.Dir(c.path), c.Label)
	r.sample.offer(c.Label, k, at)
	return r.paths.add(record{key: k, at: at, label: int32(c.Label)})
}

// absolute is the path in the one form that equal paths have in common.
func (r *run) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(r.here, path)
}
