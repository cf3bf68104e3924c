package prepare

import (
	"context"
	"path"
	"slices"
	"strings"
)

// A ucf101Index finds clips by the names of the annotations.
//
// Names of clips are unique whatever their folder, so they are found in a flat
// folder too. Archives spell some in two ways: the annotations have
// HandstandPushups/v_HandStandPushups_g01_c01.avi, some files v_HandstandPushups.
type ucf101Index struct {
	exact map[string]bool     // names as in the folder
	loose map[string][]string // lower-case stem → names
	used  map[string]bool
	dirs  bool // clips are folders
}

// indexUCF101 lists the clips below a folder: videos, or folders whose names
// begin with v_.
func indexUCF101(ctx context.Context, root string, dirs bool, skipped *Skipped) (*ucf101Index, error) {
	ix := &ucf101Index{exact: map[string]bool{}, loose: map[string][]string{}, used: map[string]bool{}, dirs: dirs}
	w := walker{ctx: ctx, root: root, skipped: skipped}
	w.video = ix.add
	if dirs {
		w.video = func(string) { skipped.Other++ }
		w.folder = func(rel string) bool {
			if !strings.HasPrefix(path.Base(rel), "v_") {
				return true
			}
			ix.add(rel)
			return false
		}
	}
	return ix, w.walk("")
}

func (ix *ucf101Index) add(name string) {
	ix.exact[name] = true
	key := ix.key(name)
	ix.loose[key] = append(ix.loose[key], name)
}

func (ix *ucf101Index) key(name string) string {
	if ix.dirs {
		return strings.ToLower(path.Base(name))
	}
	return strings.ToLower(stem(name))
}

// lookUp returns the file of a clip of the annotations: the one of that very
// name, else the one that fits without regard to folder, case and extension. n
// is how many fit.
func (ix *ucf101Index) lookUp(name string) (file string, n int) {
	key, exact := strings.ToLower(stem(name)), name
	if ix.dirs {
		exact = strings.TrimSuffix(name, path.Ext(name))
	}
	if ix.exact[exact] {
		ix.used[exact] = true
		return exact, 1
	}
	fit := ix.loose[key]
	for _, f := range fit {
		ix.used[f] = true
	}
	if len(fit) != 1 {
		return "", len(fit)
	}
	return fit[0], 1
}

// unused are the clips that were not looked up.
func (ix *ucf101Index) unused() []string {
	var out []string
	for name := range ix.exact {
		if !ix.used[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
