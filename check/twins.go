package check

import (
	"context"
	"fmt"
)

// compare finds what no line shows by itself: the same clip in two lines, and
// content that changed since the last check.
func (r *run) compare(context.Context) error {
	r.folders.settle()
	if err := r.twins(r.paths, true); err != nil {
		return err
	}
	if r.Quick {
		return nil
	}
	if err := r.twins(r.same, false); err != nil {
		return err
	}
	return r.sinceLast()
}

// firsts are what a group of twins has in one list.
type firsts struct {
	first, other record // the first line, and the first with another label; line 0: none
}

// twins says of each line what its twins are, in its own list and, if it is for
// training, in the others.
func (r *run) twins(s *sorter, byPath bool) error {
	group := make([]firsts, len(r.lists))
	look := func(n record) error {
		g := &group[n.at.list]
		switch {
		case g.first.at.line == 0:
			g.first = n
		case g.other.at.line == 0 && n.label != g.first.label:
			g.other = n
		}
		return nil
	}
	tell := func(n record) error {
		how := func(twin record) uint32 {
			switch {
			case byPath:
				return samePath
			case twin.also == n.also:
				return sameBytes
			}
			return samePictures
		}
		say := func(code uint32, twin record) error {
			return r.late.add(record{at: n.at, twin: twin.at, code: code | how(twin)})
		}
		g := &group[n.at.list]
		if g.other.at.line != 0 {
			twin := g.first
			if n.label == twin.label {
				twin = g.other
			}
			if err := say(isConflict, twin); err != nil {
				return err
			}
		} else if n.at != g.first.at {
			if err := say(isDuplicate, g.first); err != nil {
				return err
			}
		}
		if !r.lists[n.at.list].training() {
			return nil
		}
		for i, l := range r.lists {
			if twin := group[i].first; !l.training() && twin.at.line != 0 {
				return say(isLeak, twin)
			}
		}
		return nil
	}
	return s.eachGroup(func() { clear(group) }, look, tell)
}

// The codes of late findings: what it is, and how one knows. Of two about the
// same line and kind the one with the lesser code counts.
const (
	samePath uint32 = iota
	sameBytes
	samePictures

	isConflict  = 1 << 8
	isDuplicate = 2 << 8
	isLeak      = 3 << 8
	isChanged   = 4 << 8
	isSwapped   = 5 << 8
)

// finding is what a late record says.
func (r *run) finding(late record) Finding {
	var f Finding
	twin := ""
	if late.twin.line > 0 {
		l := r.lists[late.twin.list]
		f.Twin = fmt.Sprintf("%s:%d", l.File, late.twin.line)
		twin = f.Twin
	}
	same := []string{"the same file as", "the same bytes as", "the same decoded pictures as"}[late.code&0xff]
	switch late.code &^ 0xff {
	case isConflict:
		f.Kind, f.Message = LabelConflict, same+" "+twin+", which has another label"
	case isDuplicate:
		f.Kind, f.Message = Duplicate, same+" "+twin
	case isLeak:
		f.Kind, f.Message = Leak, fmt.Sprintf("%s %s (%s)", same, twin, r.lists[late.twin.list].Use)
	case isChanged:
		f.Kind, f.Message = Changed, "other content than at the last check"
	case isSwapped:
		f.Kind, f.Message = Swapped, "holds what "+twin+" held at the last check"
	}
	return f
}
