package prepare

import (
	"cmp"
	"context"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A kineticsIndex has the files below a folder by the clips that they hold.
type kineticsIndex struct {
	files map[kineticsKey][]string // by name
	other []string                 // videos whose names are no clip's
	used  map[kineticsKey]bool
}

// clipName is ID, or ID_START_END. An id has 11 characters, - and _ among them.
var clipName = regexp.MustCompile(`^([A-Za-z0-9_-]{11})(?:_([0-9]{1,7})_([0-9]{1,7}))?$`)

func indexKinetics(ctx context.Context, root string, skipped *Skipped) (*kineticsIndex, error) {
	ix := &kineticsIndex{files: map[kineticsKey][]string{}, used: map[kineticsKey]bool{}}
	w := walker{ctx: ctx, root: root, skipped: skipped, video: ix.add}
	return ix, w.walk("")
}

func (ix *kineticsIndex) add(name string) {
	key, ok := parseClipName(stem(name))
	if !ok {
		ix.other = append(ix.other, name)
		return
	}
	ix.files[key] = append(ix.files[key], name)
}

// parseClipName reads a file's name without its extension.
func parseClipName(s string) (key kineticsKey, ok bool) {
	m := clipName.FindStringSubmatch(s)
	if m == nil {
		return key, false
	}
	copy(key.id[:], m[1])
	key.start, key.end = -1, -1
	if m[2] != "" {
		start, _ := strconv.Atoi(m[2]) // at most seven digits
		end, _ := strconv.Atoi(m[3])
		key.start, key.end = int32(start), int32(end)
	}
	return key, true
}

// lookUp returns the files of a clip. Those named after the video alone count
// too, but behind the others.
func (ix *kineticsIndex) lookUp(key kineticsKey) []string {
	whole := kineticsKey{key.id, -1, -1}
	var out []string
	for _, k := range []kineticsKey{key, whole} {
		if files := ix.files[k]; len(files) > 0 {
			ix.used[k] = true
			out = append(out, files...)
		}
	}
	return out
}

// unused are the videos that were not looked up, by name.
func (ix *kineticsIndex) unused() []string {
	out := slices.Clone(ix.other)
	for key, files := range ix.files {
		if !ix.used[key] {
			out = append(out, files...)
		}
	}
	slices.Sort(out)
	return out
}

// choose picks one of several files of a clip: one in a folder of its class
// before others, ID_START_END before ID, then the shortest and first name.
func choose(files []string, class string, classes classNames) string {
	return slices.MinFunc(files, func(a, b string) int {
		rank := func(name string) int {
			score := len(stem(name))
			if classes.folder(name) == class {
				score += 1000
			}
			return -score
		}
		return cmp.Or(rank(a)-rank(b), len(a)-len(b), cmp.Compare(a, b))
	})
}

// folder is the class whose folder a file lies in, "" for no class's.
func (c classNames) folder(name string) string {
	for dir := path.Dir(name); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if class, ok := c.names[normalized(path.Base(dir))]; ok {
			return class
		}
	}
	return ""
}

// normalized is a class name as far as spellings agree: Kinetics' CSV files have
// "massaging person's head" where label lists and folders have
// massaging_person's_head or massaging_persons_head.
func normalized(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(name) {
		switch {
		case strings.ContainsRune("'’`", r):
		case strings.ContainsRune(" _-(),.&/\t\"", r):
			gap = b.Len() > 0
		default:
			if gap {
				b.WriteByte('_')
				gap = false
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}
