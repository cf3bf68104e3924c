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

// twins says of each line what its twins are: lines with the same key.
func (r *run) twins(s *sorter, byPath bool) error {
	g := &twinGroup{run: r, byPath: byPath, lists: make([]firsts, len(r.lists))}
	return s.eachGroup(func() { clear(g.lists) }, g.look, g.tell)
}

// A twinGroup is the lines of one key.
type twinGroup struct {
	*run
	byPath bool
	lists  []firsts // of each list
}

// firsts are what a group has in one list.
type firsts struct {
	first, other record // the first line, and the first with another label; line 0: none
}

func (g *twinGroup) look(n record) error {
	l := &g.lists[n.at.list]
	switch {
	case l.first.at.line == 0:
		l.first = n
	case l.other.at.line == 0 && n.label != l.first.label:
		l.other = n
	}
	return nil
}

// tell says what a line has in common with another of its list, and, if it is
// for training, with one of the other lists.
func (g *twinGroup) tell(n record) error {
	l := g.lists[n.at.list]
	var err error
	switch {
	case l.other.at.line != 0 && n.label == l.first.label:
		err = g.say(isConflict, n, l.other)
	case l.other.at.line != 0:
		err = g.say(isConflict, n, l.first)
	case n.at != l.first.at:
		err = g.say(isDuplicate, n, l.first)
	}
	if err != nil || !g.run.lists[n.at.list].training() {
		return err
	}
	for i, list := range g.run.lists {
		if twin := g.lists[i].first; !list.training() && twin.at.line != 0 {
			return g.say(isLeak, n, twin)
		}
	}
	return nil
}

func (g *twinGroup) say(code uint32, n, twin record) error {
	switch {
	case g.byPath:
		code |= samePath
	case twin.also == n.also:
		code |= sameBytes
	default:
		code |= samePictures
	}
	return g.late.add(record{at: n.at, twin: twin.at, code: code})
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
