// Package check finds out before training whether the data is good: that every
// file of every list is there and decodes, that labels are in range and right as
// far as one can see, that no clip is in a list twice and none in the lists of
// training and of validation both.
//
// Three passes go over the lists. The first is cheap: lines, labels, what is
// there. The second decodes every file. The third brings all findings into the
// order of the lists. What must be compared across lines is written as records
// of fixed size and sorted in files, so memory does not depend on the length of
// a list.
package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/probe"
)

// The uses of a list. A list may have several, joined by +, such as valid+test.
const (
	Train = "train"
	Valid = "valid"
	Test  = "test"
)

// A List is a list of labelled clips, as in dataset.Options.
type List struct {
	Use      string // Train, Valid or Test, or several
	File     string
	Prefix   string
	Suffix   string
	Frames   bool
	Pattern  clip.Pattern
	Segments int // a clip with fewer frames is short; 0: any will do
}

func (l *List) path(name string) string {
	return dataset.Options{Prefix: l.Prefix, Suffix: l.Suffix, Frames: l.Frames}.Path(name)
}

func (l *List) training() bool   { return strings.Contains(l.Use, Train) }
func (l *List) validation() bool { return strings.Contains(l.Use, Valid) }

// Options says what is checked. Lists is needed.
type Options struct {
	Lists   []List
	Classes int      // labels must be below; 0: as many as there are Names, or unknown
	Names   []string // of the classes; nil: unknown

	Quick     bool          // the cheap pass alone
	MinFrames int           // fewer frames are an error; 0: none are
	MinClips  int           // a class with fewer clips for training is reported; 0: 2
	Timeout   time.Duration // for one file; 0: a minute
	Workers   int           // files that are decoded at a time; 0: one for each core
	Cache     *probe.Cache  // nil: nothing is remembered

	Allow  []Kind // findings that are errors become warnings
	Strict bool   // a warning, too, says that training should not start

	// Dir is the folder for bad.jsonl, clips.jsonl, summary.json, index.html and
	// the clean lists; made if absent. "": none are written.
	Dir string

	Each     func(Finding)                         // called with each finding in the order of the lists; may be nil
	Progress func(stage string, done, total int64) // called now and then by one goroutine; may be nil
}

// Run checks the lists. What is wrong with them is in the summary; the error is
// that of a list that cannot be read, of the folder, or ctx's. When it is
// interrupted in its second pass, what was found until then is left in
// bad.jsonl.partial.
func Run(ctx context.Context, o Options) (*Summary, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	defer r.close()
	for _, pass := range []func(context.Context) error{r.survey, r.decode, r.compare, r.finish} {
		if err = pass(ctx); err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, errors.Join(err, r.keepPartial(ctx))
		}
	}
	if err := r.write(); err != nil {
		return nil, err
	}
	return &r.summary, nil
}

// regular says what is wrong with the place of a list.
func regular(list string) error {
	info, err := os.Stat(list)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s: a folder, not a list", list)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: not a regular file: a list is read more than once", list)
	}
	return nil
}

func (o Options) complete() (Options, error) {
	if len(o.Lists) == 0 {
		return o, errors.New("check: no list")
	}
	if len(o.Lists) > maxLists {
		return o, fmt.Errorf("check: %d lists: want at most %d", len(o.Lists), maxLists)
	}
	for _, k := range o.Allow {
		if _, ok := levels[k]; !ok {
			return o, fmt.Errorf("check: no finding is called %q: want one of %s", k, kindNames())
		}
	}
	for _, l := range o.Lists {
		if err := regular(l.File); err != nil {
			return o, err
		}
	}
	o.Classes = cmp.Or(o.Classes, len(o.Names))
	o.MinClips = cmp.Or(o.MinClips, 2)
	o.Workers = cmp.Or(max(o.Workers, 0), runtime.NumCPU())
	if o.Each == nil {
		o.Each = func(Finding) {}
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	return o, nil
}

// A run is one check while it goes on.
type run struct {
	Options
	work    string // folder for temporary files: Dir, else the system's
	here    string // the working folder
	begun   time.Time
	lists   []*list
	names   words
	folders *folders
	sample  *sample
	paths   *sorter // a record for each line, by its path
	same    *sorter // a record for each decoded clip, by its pictures
	seen    *sorter // a record for each decoded clip, by its path: what it holds
	late    *sorter // findings that come of comparing, by list and line

	clips    *spool // clips.jsonl
	findings *spool // bad.jsonl
	shown    shown  // findings for the page
	sheet    sheet
	summary  Summary
}

// A list is what is known of one of the lists.
type list struct {
	List
	lines   int64 // that are not blank
	good    int64 // that can be used
	clean   *spool
	frames  int64 // of all clips
	seconds float64
	found   [2]*spool // by the first two passes
	classes classes
}

func newRun(o Options) (r *run, err error) {
	r = &run{Options: o, begun: time.Now()}
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o777); err != nil {
			return nil, err
		}
		if err := os.Remove(filepath.Join(o.Dir, partialFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if r.here, err = os.Getwd(); err != nil {
		return nil, err
	}
	r.work = cmp.Or(o.Dir, os.TempDir())
	r.names, r.folders, r.sample = newWords(o.Names), newFolders(), newSample(o.Classes)
	for _, s := range []**sorter{&r.paths, &r.same, &r.seen, &r.late} {
		*s = &sorter{dir: r.work}
	}
	for _, l := range o.Lists {
		r.lists = append(r.lists, &list{List: l, classes: classes{}})
	}
	return r, nil
}

func (r *run) close() {
	spools := []*spool{r.clips, r.findings}
	for _, l := range r.lists {
		spools = append(spools, l.found[0], l.found[1], l.clean)
	}
	for _, s := range spools {
		s.close()
	}
	for _, s := range []*sorter{r.paths, r.same, r.seen, r.late} {
		s.close()
	}
}

// keepPartial saves what an interrupted check has found.
func (r *run) keepPartial(ctx context.Context) error {
	if r.Dir == "" || ctx.Err() == nil || r.lists[0].found[1] == nil {
		return nil
	}
	return atomicfile.Write(filepath.Join(r.Dir, partialFile), func(w io.Writer) error {
		for _, l := range r.lists {
			for _, s := range l.found {
				if err := s.copyTo(w); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
