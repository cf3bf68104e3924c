package prepare

import "math"

// group finds the groups of clips that have none yet.
func (o Folder) group(clips []ownClip, r *FolderReport) {
	groups := map[string]bool{}
	for i := range clips {
		c := &clips[i]
		if o.GroupBy != nil && c.group == "" {
			m := o.GroupBy.FindStringSubmatch(c.key)
			switch {
			case m == nil:
				r.Ungrouped = append(r.Ungrouped, c.key)
			case len(m) > 1:
				c.group = m[1]
			default:
				c.group = m[0]
			}
		}
		if c.group != "" {
			groups[c.group] = true
		}
	}
	if r.Groups = len(groups); r.Groups > 0 {
		r.Groups += len(r.Ungrouped)
	}
}

// deal splits the clips whose side is open.
func (o Folder) deal(clips []ownClip, classes int, r *FolderReport) {
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
