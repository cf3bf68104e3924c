// Package dataset turns a list of labelled clips into batches for a network.
//
// A list is a text file with one clip a line: "path label" for video files,
// "dir frames label" for folders of numbered pictures (VideoDataset and
// FrameDataset of the reference, paddlevideo/loader/dataset). A Set reads the
// list and loads single clips; a Loader shuffles, collates and mixes them.
//
// A clip that cannot be read is reported with its line and left out. The
// reference puts a random other one in its place.
//
// The letters are those of package clip: N clips in a batch, T views of a clip,
// H and W pixels.
package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/internal/textfile"
	"github.com/pptsn/pptsn/probe"
)

// Options says what a list holds and how its clips are read.
type Options struct {
	List   string // file with one clip a line
	Prefix string // folder before each path that is not absolute; "": none

	// Frames says that a line is "dir frames label", else it is "path label".
	Frames  bool
	Suffix  string       // added to the path of a video, such as .avi; without effect for Frames
	Pattern clip.Pattern // names of a folder's pictures; needed for Frames

	Spec    clip.Spec     // how a clip becomes views
	Classes int           // labels must be below; 0: unchecked
	Timeout time.Duration // for reading one clip, which is bad after that; 0 means a minute

	// ClassesKey is what sets Classes, for messages, such as MODEL.head.num_classes;
	// "": num_classes.
	ClassesKey string

	// Cache spares the reading through video files that were opened before. The
	// clips are the same without; nil does without.
	Cache *probe.Cache
}

// A Sample is one line of the list.
type Sample struct {
	Path   string // with prefix and suffix
	Name   string // as in the list
	Frames int    // pictures of the folder; 0 for a video
	Label  int
	Line   int // of the list, from 1
}

// A Set is a list of labelled clips. It does not change: many goroutines may
// use it.
type Set struct {
	o       Options
	entries []entry
}

// Open reads the list. No clip is looked at; see Missing.
//
// Everything wrong with the list is reported together, up to ten lines of it:
// errors.As finds the first *LineError.
func Open(o Options) (*Set, error) {
	if err := o.Spec.Validate(); err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	if o.Frames && o.Pattern == (clip.Pattern{}) {
		return nil, errors.New("dataset: Frames without a Pattern: want one such as img_{:05}.jpg")
	}
	o.Timeout = cmp.Or(max(o.Timeout, 0), time.Minute)
	o.ClassesKey = cmp.Or(o.ClassesKey, "num_classes")
	text, err := textfile.Read(o.List)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	entries, err := parseList(o, text)
	if err != nil {
		return nil, err
	}
	return &Set{o: o, entries: entries}, nil
}

// Len is the number of clips.
func (s *Set) Len() int { return len(s.entries) }

// Sample is clip i of the list, counted from 0.
func (s *Set) Sample(i int) Sample {
	e := s.entries[i]
	return Sample{
		Path: s.o.Path(e.name), Name: e.name,
		Frames: int(e.frames), Label: int(e.label), Line: int(e.line),
	}
}

// Path is the file or folder that a name of the list means: with prefix and, for
// a video, suffix.
func (o Options) Path(name string) string {
	if !o.Frames {
		name += o.Suffix
	}
	return join(o.Prefix, name)
}

// join is Python's os.path.join, which the reference makes paths with: unlike
// filepath.Join it leaves .. alone and drops the prefix before an absolute path.
func join(prefix, path string) string {
	switch {
	case prefix == "" || strings.HasPrefix(path, "/"):
		return path
	case prefix[len(prefix)-1] == '/':
		return prefix + path
	}
	return prefix + "/" + path
}
