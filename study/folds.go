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
		c, err := parseClip(line, group)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		clips = append(clips, c)
	}
	return clips, nil
}

func parseClip(line string, group *regexp.Regexp) (clip, error) {
	fields := strings.Split(line, " ") // a folder's name may hold spaces, so count from the end
	if len(fields) < 3 {
		return clip{}, fmt.Errorf("%q: want \"folder pictures label\"", line)
	}
	last := len(fields) - 1
	label, err := strconv.Atoi(fields[last])
	if err != nil || label < 0 {
		return clip{}, fmt.Errorf("label %q: want a whole number of at least 0", fields[last])
	}
	dir := strings.Join(fields[:last-1], " ")
	footage := cmp.Or(group.FindString(dir), dir) // or a clip of its own
	return clip{dir: dir, line: line, label: label, group: fmt.Sprint(label, " ", footage)}, nil
}

// deal returns the fold of each clip, in [0, n). Groups stay whole; large ones
// are dealt first, each to the fold that has fewest clips of its class, then
// fewest of all. The order of the list does not matter.
func deal(clips []clip, n int) []int {
	groups := map[string][]int{}
	for i, c := range clips {
		groups[c.group] = append(groups[c.group], i)
	}
	folds, h := make([]int, len(clips)), hands{all: make([]int, n), ofClass: map[[2]int]int{}}
	for _, name := range largestFirst(groups) {
		members := groups[name]
		f := h.give(clips[members[0]].label, len(members))
		for _, i := range members {
			folds[i] = f
		}
	}
	return folds
}

func largestFirst(groups map[string][]int) []string {
	return slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(groups[b]), len(groups[a])), cmp.Compare(a, b))
	})
}

// hands count the clips of each fold.
type hands struct {
	all     []int          // [fold]
	ofClass map[[2]int]int // {class, fold}
}

// give adds clips of a class to the fold that needs them most.
func (h *hands) give(class, clips int) (fold int) {
	for f := range h.all {
		if cmp.Or(cmp.Compare(h.ofClass[[2]int{class, f}], h.ofClass[[2]int{class, fold}]), cmp.Compare(h.all[f], h.all[fold])) < 0 {
			fold = f
		}
	}
	h.all[fold] += clips
	h.ofClass[[2]int{class, fold}] += clips
	return fold
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
