package prepare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/pptsn/pptsn/labels"
)

// Folder makes lists of a user's own clips: one folder for each class, or a CSV
// file, split at random but evenly.
type Folder struct {
	Dir       string
	CSV       string         // header path,label[,split][,group]; "": folders are the classes
	Labels    string         // list for package labels: the order of the classes; "": sorted as people sort
	Val, Test float64        // shares, from 0; both below 1 together
	Seed      uint64         // the same clips and seed give the same split
	GroupBy   *regexp.Regexp // its first group, or all of the match, in a clip's name is the clip's group; nil: each clip is its own
	Absolute  bool           // write absolute paths
}

// An ownClip is a clip of the user's.
type ownClip struct {
	name  string // as in the list
	key   string // the same without the prefix of Absolute
	class string
	group string // "": its own
	side  int    // -1: to be dealt
	label int
}

// Run finds the clips, splits them and returns the report and the files to
// write.
func (o Folder) Run(ctx context.Context) (*FolderReport, []File, error) {
	if !(o.Val >= 0 && o.Test >= 0 && o.Val+o.Test < 1) {
		return nil, nil, fmt.Errorf("shares of %v for val and %v for test: want both from 0 and below 1 together", o.Val, o.Test)
	}
	r := &FolderReport{ // lists without items are [] in JSON, not null
		Ungrouped: []string{}, Torn: []string{}, Thin: []string{}, Stray: []string{}, Missing: []string{}, Unnamed: []string{}, Bad: []Problem{},
	}
	find := o.walk
	if o.CSV != "" {
		find = o.readCSV
	}
	clips, names, err := find(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if clips, names, err = o.number(clips, names, r); err != nil {
		return nil, nil, err
	}
	if err := o.group(clips, r); err != nil {
		return nil, nil, err
	}
	o.deal(clips, len(names), r)
	files, err := o.files(clips, names, r)
	return r, files, err
}

// walk finds the clips below the folders of the classes.
func (o Folder) walk(ctx context.Context, r *FolderReport) (clips []ownClip, names []string, err error) {
	if err := folderAt(o.Dir); err != nil {
		return nil, nil, err
	}
	entries, err := os.ReadDir(o.Dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name := e.Name()
		info, err := os.Stat(filepath.Join(o.Dir, name))
		switch {
		case name[0] == '.':
			r.Skipped.Hidden++
		case err != nil:
			r.Skipped.Links++
		case info.IsDir():
			names = append(names, name)
			w := walker{ctx: ctx, root: o.Dir, skipped: &r.Skipped, video: func(rel string) {
				clips = append(clips, ownClip{name: rel, class: name, side: -1})
			}}
			if err := w.walk(name); err != nil {
				return nil, nil, err
			}
		case IsVideo(name):
			r.Stray = append(r.Stray, name)
		default:
			r.Skipped.Other++
		}
	}
	slices.SortFunc(names, natural)
	if len(clips) == 0 {
		return nil, nil, fmt.Errorf("%s: no videos in folders: want CLASS/CLIP.mp4", o.Dir)
	}
	return clips, names, nil
}

// number labels the clips, drops those that cannot stand in a list, and sorts
// them by label and name.
func (o Folder) number(clips []ownClip, names []string, r *FolderReport) ([]ownClip, []string, error) {
	if o.Labels != "" {
		list, err := labels.Read(o.Labels)
		if err != nil {
			return nil, nil, err
		}
		names = list
	}
	index := map[string]int{}
	for i, name := range names {
		if _, ok := index[name]; ok {
			return nil, nil, fmt.Errorf("the class %s is twice in the list of classes", quoted(name))
		}
		index[name] = i
	}
	prefix := ""
	if o.Absolute {
		abs, err := filepath.Abs(o.Dir)
		if err != nil {
			return nil, nil, err
		}
		prefix = abs
	}
	var kept []ownClip
	for _, c := range clips {
		label, ok := index[c.class]
		if !ok {
			return nil, nil, fmt.Errorf("%s: the class %s is not in %s", c.name, quoted(c.class), o.Labels)
		}
		c.key = c.name
		if c.label = label; !path.IsAbs(c.name) {
			c.name = path.Join(prefix, c.name)
		}
		if err := listable(c.name); err != nil {
			r.Unnamed = append(r.Unnamed, err.Error())
			continue
		}
		kept = append(kept, c)
	}
	if len(kept) == 0 {
		return nil, nil, errors.New("no clip has a name that can stand in a list")
	}
	slices.SortFunc(kept, func(a, b ownClip) int {
		return cmp.Or(a.label-b.label, natural(a.name, b.name))
	})
	return kept, names, nil
}

// files counts the clips and writes the lists.
func (o Folder) files(clips []ownClip, names []string, r *FolderReport) ([]File, error) {
	var lists [sides]List
	r.Classes, r.Clips = make([]FolderClass, len(names)), len(clips)
	for i, name := range names {
		r.Classes[i] = FolderClass{Name: name, Split: make([]int, sides)}
	}
	for _, c := range clips {
		r.Classes[c.label].Clips++
		r.Classes[c.label].Split[c.side]++
		lists[c.side].Clips = append(lists[c.side].Clips, Clip{Name: c.name, Label: c.label})
	}
	f, err := labelFile("labels.txt", names)
	if err != nil {
		return nil, err
	}
	out := []File{f}
	for side, l := range lists {
		r.Sides = append(r.Sides, sideNames[side])
		r.Split = append(r.Split, len(l.Clips))
		r.Shares = append(r.Shares, math.Round(1e4*float64(len(l.Clips))/float64(len(clips)))/1e4)
		l.Name = sideNames[side] + ".list"
		if len(l.Clips) == 0 {
			out = append(out, File{Name: l.Name, Absent: true})
			continue
		}
		f, err := l.file()
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	r.thin()
	r.deviation()
	return out, nil
}
