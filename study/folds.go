package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A clip is a line of the list of pictures: "folder pictures label".
type clip struct {
	dir   string
	line  string
	label int
	group string // clips of one group show the same footage
}

func parseClips(list string, group *regexp.Regexp) ([]clip, error) {
	var clips []clip
	for i, line := range strings.Split(strings.TrimSpace(list), "\n") {
		// A folder's name may hold spaces, so count from the end.
		fields := strings.Split(line, " ")
		if len(fields) < 3 {
			return nil, fmt.Errorf("line %d: %q: want \"folder pictures label\"", i+1, line)
		}
		label, err := strconv.Atoi(fields[len(fields)-1])
		if err != nil || label < 0 {
			return nil, fmt.Errorf("line %d: label %q: want a whole number of at least 0", i+1, fields[len(fields)-1])
		}
		dir := strings.Join(fields[:len(fields)-2], " ")
		found := group.FindString(dir)
		if found == "" {
			found = dir // a clip of its own
		}
		clips = append(clips, clip{dir: dir, line: line, label: label, group: fmt.Sprint(label, " ", found)})
	}
	return clips, nil
}

// deal returns the fold of each clip, in [0, n). Groups stay whole; large ones
// are dealt first, each to the fold that has fewest clips of its class, then
// fewest of all. The order of the list does not matter.
func deal(clips []clip, n int) []int {
	groups := map[string][]int{}
	for i, c := range clips {
		groups[c.group] = append(groups[c.group], i)
	}
	names := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(groups[b]), len(groups[a])), cmp.Compare(a, b))
	})
	folds, all, ofClass := make([]int, len(clips)), make([]int, n), map[[2]int]int{}
	for _, name := range names {
		members := groups[name]
		class, best := clips[members[0]].label, 0
		for f := range n {
			if cmp.Or(cmp.Compare(ofClass[[2]int{class, f}], ofClass[[2]int{class, best}]), cmp.Compare(all[f], all[best])) < 0 {
				best = f
			}
		}
		for _, i := range members {
			folds[i] = best
		}
		all[best] += len(members)
		ofClass[[2]int{class, best}] += len(members)
	}
	return folds
}

// lines are those of the clips in the folds that keep says, as a list.
func lines(clips []clip, folds []int, keep func(fold int) bool) string {
	var b strings.Builder
	for i, c := range clips {
		if keep(folds[i]) {
			b.WriteString(c.line + "\n")
		}
	}
	return b.String()
}
