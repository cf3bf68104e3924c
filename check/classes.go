package check

import (
	"fmt"
	"maps"
	"slices"
)

// maxClasses bounds how many labels are counted one by one.
const maxClasses = 100_000

// classes counts the clips of each label.
type classes map[int]*count

type count struct{ lines, good int64 }

func (c classes) of(label int) *count {
	n := c[label]
	if n == nil && len(c) < maxClasses {
		n = &count{}
		c[label] = n
	}
	if n == nil {
		return &count{} // there are too many to be counted
	}
	return n
}

func (c classes) count(label int) { c.of(label).lines++ }

// inRange are the labels that a list should have: all below classes, or, where
// that is unknown, those up to the largest one.
func (c classes) inRange(classes int) int {
	if classes > 0 || len(c) == 0 {
		return min(classes, maxClasses)
	}
	return min(slices.Max(slices.Collect(maps.Keys(c)))+1, maxClasses)
}

// balance says what is wrong with the numbers of clips that can be used.
func (r *run) balance(l *list) []Finding {
	switch {
	case l.lines == 0:
		return []Finding{{Kind: NoClips, Label: -1, Message: "the list is empty: want one clip a line"}}
	case l.good == 0:
		return []Finding{{Kind: NoClips, Label: -1, Message: fmt.Sprintf("no clip of %d can be used", l.lines)}}
	case l.training():
		return append(r.scarce(l, l.classes.inRange(r.Classes)), r.uneven(l)...)
	case l.validation():
		return r.scarce(l, r.trainClasses(l.classes.inRange(r.Classes)))
	}
	return nil
}

// scarce names the classes below n with no clip and, in training, with few.
func (r *run) scarce(l *list, n int) (found []Finding) {
	for label := range n {
		c := count{}
		if p := l.classes[label]; p != nil {
			c = *p
		}
		switch {
		case c.good == 0:
			found = append(found, Finding{Kind: AbsentClass, Label: label, Message: fmt.Sprintf("class %s has no clip%s", r.class(label), of(c))})
		case l.training() && c.good < int64(r.MinClips):
			found = append(found, Finding{Kind: FewClips, Label: label, Message: fmt.Sprintf("class %s has %d of the %d clips that are wanted at least%s", r.class(label), c.good, r.MinClips, of(c))})
		}
	}
	return found
}

// uneven compares the largest class with the smallest of those that have clips.
func (r *run) uneven(l *list) []Finding {
	least, most := -1, -1
	for _, label := range slices.Sorted(maps.Keys(l.classes)) {
		n := l.classes[label].good
		if n > 0 && (least < 0 || n < l.classes[least].good) {
			least = label
		}
		if n > 0 && (most < 0 || n > l.classes[most].good) {
			most = label
		}
	}
	if least < 0 || l.classes[most].good < 2*l.classes[least].good {
		return nil
	}
	large, small := l.classes[most].good, l.classes[least].good
	return []Finding{{Kind: Imbalance, Label: -1, Message: fmt.Sprintf("the largest class, %s, has %s, the smallest, %s, has %d: %.3g times as many",
		r.class(most), plural(int(large), "clip"), r.class(least), small, float64(large)/float64(small))}}
}

// of says how many clips there would be without the bad ones.
func of(c count) string {
	if c.lines == c.good {
		return ""
	}
	return fmt.Sprintf(" that can be used, of %d", c.lines)
}

// trainClasses is how many classes a list of validation should have, where that
// is known from the lists of training alone.
func (r *run) trainClasses(n int) int {
	if r.Classes > 0 {
		return n
	}
	for _, l := range r.lists {
		if l.training() {
			n = max(n, l.classes.inRange(0))
		}
	}
	return n
}

// class is a label with its name where that is known.
func (r *run) class(label int) string {
	if label >= 0 && label < len(r.Names) {
		return fmt.Sprintf("%d (%s)", label, r.Names[label])
	}
	return fmt.Sprint(label)
}
