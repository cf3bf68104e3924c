package prepare

import (
	"fmt"
	"math"
	"regexp"
)

// group finds the groups of clips that have none yet. It is an error if GroupBy
// finds none at all: what the split then promises would not be true.
func (o Folder) group(clips []ownClip, r *FolderReport) error {
	groups, matched := map[string]bool{}, false
	for i := range clips {
		c := &clips[i]
		if o.GroupBy != nil && c.group == "" {
			if c.group = groupOf(o.GroupBy, c.key); c.group == "" {
				r.Ungrouped = append(r.Ungrouped, c.key)
			} else {
				matched = true
			}
		}
		if c.group != "" {
			groups[c.group] = true
		}
	}
	if n := len(r.Ungrouped); n > 0 && !matched {
		return fmt.Errorf("the expression %s for groups matches no clip of %d, such as %s: it must match a part of the path that clips of one recording share", o.GroupBy, n, r.Ungrouped[0])
	}
	if r.Groups = len(groups); r.Groups > 0 {
		r.Groups += len(r.Ungrouped)
	}
	return nil
}

// groupOf is what the first pair of brackets matches, or else all of the
// expression; "" for nothing.
func groupOf(re *regexp.Regexp, name string) string {
	m := re.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	return m[min(1, len(m)-1)]
}

// follow puts the open clips of a group on the side where the CSV file has
// others of it.
func follow(clips []ownClip, r *FolderReport) {
	sideOf, torn := map[string]int{}, map[string]bool{}
	for _, c := range clips {
		if c.side < 0 || c.group == "" {
			continue
		}
		if side, ok := sideOf[c.group]; !ok {
			sideOf[c.group] = c.side
		} else if side != c.side && !torn[c.group] {
			torn[c.group] = true
			r.Torn = append(r.Torn, c.group)
		}
	}
	for i := range clips {
		c := &clips[i]
		if side, ok := sideOf[c.group]; ok && c.side < 0 {
			c.side = side
		}
	}
}

// deal splits the clips whose side is open.
func (o Folder) deal(clips []ownClip, classes int, r *FolderReport) {
	follow(clips, r)
	of := map[string][]int{} // clips of an item
	var keys []string
	for i, c := range clips {
		if c.side >= 0 {
			continue
		}
		key := "clip " + c.key
		if c.group != "" {
			key = "group " + c.group
		}
		if of[key] == nil {
			keys = append(keys, key)
		}
		of[key] = append(of[key], i)
	}
	if len(keys) == 0 {
		return
	}
	items := make([]splitItem, len(keys))
	for i, key := range keys {
		items[i] = splitItem{key: key, size: len(of[key])}
		for _, c := range of[key] { // sorted by label
			n := len(items[i].classes)
			if n == 0 || items[i].classes[n-1].label != clips[c].label {
				items[i].classes, n = append(items[i].classes, classCount{label: clips[c].label}), n+1
			}
			items[i].classes[n-1].clips++
		}
	}
	r.Wanted = []float64{math.Round(1e9*(1-o.Val-o.Test)) / 1e9, o.Val, o.Test}
	for i, side := range split(items, classes, [sides]float64(r.Wanted), o.Seed) {
		for _, c := range of[keys[i]] {
			clips[c].side = side
		}
	}
}
