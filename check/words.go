package check

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
)

// words finds the names of classes in paths, whatever separates their words:
// Walking With Dog is in v_WalkingWithDog_g08.avi and in walking-with-dog/1.mp4.
type words struct {
	label   map[string]int // of a name without separators, in lower case
	longest int            // words of a name
}

// minName is how many letters a name must have to be looked for.
const minName = 3

func newWords(names []string) words {
	w := words{label: map[string]int{}, longest: 1}
	for label, name := range names {
		parts := split(name)
		whole := strings.Join(parts, "")
		if len(whole) < minName || strings.IndexFunc(whole, unicode.IsLetter) < 0 {
			continue
		}
		if _, twice := w.label[whole]; twice {
			label = -1 // could be either
		}
		w.label[whole] = label
		w.longest = max(w.longest, len(parts))
	}
	return w
}

// split cuts a text into words of letters and digits, in lower case.
func split(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// in lists the labels whose names a text holds.
func (w *words) in(text string) (labels []int) {
	parts := split(text)
	for i := range parts {
		name := ""
		for _, part := range parts[i:min(len(parts), i+w.longest)] {
			name += part
			if label, ok := w.label[name]; ok {
				labels = append(labels, label)
			}
		}
	}
	return labels
}

// misnamed says which other class the folder or the name of a clip speak of;
// "": none, or its own too.
func (r *run) misnamed(name string, label int) string {
	if len(r.names.label) == 0 {
		return ""
	}
	other := -1
	dir, file := filepath.Split(name)
	file = strings.TrimSuffix(file, filepath.Ext(file))
	for _, text := range []string{file, filepath.Base(dir)} {
		for _, l := range r.names.in(text) {
			if l == label || l < 0 {
				return ""
			}
			other = l
		}
	}
	if other < 0 {
		return ""
	}
	return fmt.Sprintf("label %s, but its name speaks of class %s", r.class(label), r.class(other))
}

// mismatch is what is suspicious about the label of a clip, where that is one.
func (r *run) mismatch(c clipLine) (Finding, bool) {
	if c.bad != "" || r.Classes > 0 && c.Label >= r.Classes {
		return Finding{}, false
	}
	why := r.stranger(filepath.Dir(c.path), c.Label)
	if why == "" {
		why = r.misnamed(c.Name, c.Label)
	}
	return Finding{Kind: LabelMismatch, Level: r.level(LabelMismatch), Message: why}, why != ""
}
