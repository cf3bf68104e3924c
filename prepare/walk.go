package prepare

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Skipped counts what a walk through a folder left out.
type Skipped struct {
	Hidden int `json:"hidden"` // files and folders whose names begin with a dot
	Other  int `json:"other"`  // files that are no videos by their extension
	Links  int `json:"links"`  // links to nothing, and to folders that were walked already
}

// A walker lists the videos below a folder, by name. It follows links; each
// folder is entered once, by whatever names it is reached, so loops end.
type walker struct {
	ctx     context.Context
	root    string
	skipped *Skipped
	seen    map[string]bool // folders, by their true paths

	video  func(rel string)      // called for each video
	folder func(rel string) bool // called for each folder below root: whether to enter it; nil: all
}

// walk calls video for each video below root, or below rel in it.
func (w *walker) walk(rel string) error {
	dir := filepath.Join(w.root, rel)
	if err := folderAt(dir); err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	w.seen = map[string]bool{real: true}
	return w.enter(rel, real)
}

// folderAt says what is wrong with a path that should be a folder's.
func folderAt(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s: a file, not a folder", path)
	}
	return err
}

func (w *walker) enter(rel, real string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(real)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, kind := e.Name(), e.Type()
		if strings.HasPrefix(name, ".") {
			w.skipped.Hidden++
			continue
		}
		below, target := path.Join(rel, name), filepath.Join(real, name)
		if kind&os.ModeSymlink != 0 {
			if target, err = filepath.EvalSymlinks(target); err != nil {
				w.skipped.Links++
				continue
			}
			info, err := os.Stat(target)
			if err != nil {
				w.skipped.Links++
				continue
			}
			kind = info.Mode().Type()
		}
		switch {
		case kind.IsDir():
			if err := w.below(below, target); err != nil {
				return err
			}
		case kind.IsRegular() && IsVideo(name):
			w.video(below)
		default:
			w.skipped.Other++
		}
	}
	return nil
}

func (w *walker) below(rel, real string) error {
	if w.folder != nil && !w.folder(rel) {
		return nil
	}
	if w.seen[real] {
		w.skipped.Links++
		return nil
	}
	w.seen[real] = true
	return w.enter(rel, real)
}
