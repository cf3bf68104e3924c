package prepare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/internal/ordered"
)

// UCF101 makes the lists of UCF-101 from its official annotations.
type UCF101 struct {
	Annotations string // folder of classInd.txt, trainlist01.txt, testlist01.txt, ...
	Videos      string // folder of the videos, Class/v_Class_g01_c01.avi or without classes; or
	Frames      string // folder of folders of pictures, Class/v_Class_g01_c01/img_00001.jpg

	Absolute  bool // write absolute paths, as the reference does
	Extension bool // leave the names of videos their extensions

	Workers  int                   // that count pictures side by side; 0 means 4
	Progress func(done, total int) // called while pictures are counted; may be nil
}

// ucf101Pattern names the pictures of a folder, as the reference extracts them.
const ucf101Pattern = "img_{:05}.jpg"

// UCF101Report says what became of the clips of the annotations.
type UCF101Report struct {
	Classes int           `json:"classes"`
	Clips   int           `json:"clips"`  // that the annotations name
	Splits  []UCF101Split `json:"splits"` // those that have annotations
	Suffix  string        `json:"suffix"` // to set for the lists of videos: the extension that their names lack
	Missing []string      `json:"missing"`
	Extra   []string      `json:"extra"`   // clips that no annotation names
	Renamed []Renamed     `json:"renamed"` // found under another name or place
	Double  []string      `json:"double"`  // not taken: more than one file fits, none exactly
	Bad     []BadFolder   `json:"bad"`     // left out
	Odd     []Problem     `json:"odd"`     // lines of the annotations: repeated, or a clip in train and test
	Skipped Skipped       `json:"skipped"`
}

// UCF101Split counts the lines of one split's lists.
type UCF101Split struct {
	Split        int `json:"split"` // from 1
	Train        int `json:"train"`
	Val          int `json:"val"`
	MissingTrain int `json:"missing_train"`
	MissingVal   int `json:"missing_val"`
}

// Renamed is a clip whose file is named otherwise than in the annotations.
type Renamed struct {
	Annotation string `json:"annotation"`
	File       string `json:"file"`
}

// BadFolder is a folder of pictures that cannot be used.
type BadFolder struct {
	Name string `json:"name"`
	Err  string `json:"error"`
}

// Run reads the annotations, looks for the clips and returns the report and the
// files to write. It is an error if no clip is found.
func (o UCF101) Run(ctx context.Context) (*UCF101Report, []File, error) {
	a, err := readUCF101(o.Annotations)
	if err != nil {
		return nil, nil, err
	}
	r := &UCF101Report{ // lists without items are [] in JSON, not null
		Classes: len(a.names), Splits: []UCF101Split{}, Missing: []string{}, Extra: []string{}, Renamed: []Renamed{},
		Double: []string{}, Bad: []BadFolder{}, Odd: append([]Problem{}, a.odd...),
	}
	found, err := o.find(ctx, a, r)
	if err != nil {
		return nil, nil, err
	}
	if err := o.writable(found, r); err != nil {
		return nil, nil, err
	}
	lists := o.lists(a, found, r)
	if len(found) == 0 {
		return nil, nil, o.nothing(r)
	}
	files := []File{reportFile("ucf101_missing.txt", r.Missing), reportFile("ucf101_extra.txt", r.Extra)}
	names, err := labelFile("ucf101_labels.txt", a.names)
	if err != nil {
		return nil, nil, err
	}
	files = append(files, names)
	for _, l := range lists {
		f, err := l.file()
		if err != nil {
			return nil, nil, err
		}
		files = append(files, f)
	}
	return r, files, nil
}

// nothing is the error of a folder without usable clips.
func (o UCF101) nothing(r *UCF101Report) error {
	if len(r.Bad) > 0 {
		return errors.New(r.Bad[0].Err)
	}
	want := "Class/v_Class_g01_c01.avi"
	if o.Frames != "" {
		want = "Class/v_Class_g01_c01/img_00001.jpg"
	}
	return fmt.Errorf("%s: none of the %d clips of %s is there: want files like %s", o.root(), r.Clips, o.Annotations, want)
}

func (o UCF101) root() string { return cmp.Or(o.Frames, o.Videos) }

// find looks for the files of the annotations' clips, by the annotations' names.
func (o UCF101) find(ctx context.Context, a *ucf101Annotations, r *UCF101Report) (map[string]Clip, error) {
	ix, err := indexUCF101(ctx, o.root(), o.Frames != "", &r.Skipped)
	if err != nil {
		return nil, err
	}
	found := map[string]Clip{}
	for _, name := range a.clips() {
		r.Clips++
		switch file, n := ix.lookUp(name); {
		case n == 0:
			r.Missing = append(r.Missing, name)
		case n > 1:
			r.Double = append(r.Double, name)
		default:
			found[name] = Clip{Name: file, Label: a.labels[path.Dir(name)]}
			want := name
			if o.Frames != "" {
				want = strings.TrimSuffix(name, path.Ext(name))
			}
			if file != want {
				r.Renamed = append(r.Renamed, Renamed{name, file})
			}
		}
	}
	r.Extra = append(r.Extra, ix.unused()...)
	if o.Frames != "" {
		return found, o.count(ctx, found, r)
	}
	return found, nil
}

// count counts the pictures of each folder and leaves out those with holes.
func (o UCF101) count(ctx context.Context, found map[string]Clip, r *UCF101Report) error {
	names := slices.Sorted(maps.Keys(found))
	folders := make([]string, len(names))
	for i, name := range names {
		folders[i] = found[name].Name
	}
	workers, done := cmp.Or(o.Workers, 4), 0
	for c := range ordered.Map(ctx, slices.Values(folders), workers, 4*workers, o.countFolder) {
		name := names[done]
		if done++; o.Progress != nil {
			o.Progress(done, len(names))
		}
		if c.err != nil {
			r.Bad = append(r.Bad, BadFolder{found[name].Name, c.err.Error()})
			delete(found, name)
			continue
		}
		clip := found[name]
		clip.Frames = c.n
		found[name] = clip
	}
	return ctx.Err()
}

// counted is how many pictures a folder has, or why it cannot be used.
type counted struct {
	n   int
	err error
}

func (o UCF101) countFolder(_ context.Context, name string) counted {
	f, err := clip.OpenFolder(filepath.Join(o.Frames, name), ucf101Pattern, nil)
	if err != nil {
		return counted{err: err}
	}
	return counted{n: f.N}
}

// writable makes the names of the lists out of those of the files.
func (o UCF101) writable(found map[string]Clip, r *UCF101Report) error {
	prefix := ""
	if o.Absolute {
		abs, err := filepath.Abs(o.root())
		if err != nil {
			return err
		}
		prefix = abs
	}
	suffix := o.suffix(found)
	r.Suffix = suffix
	var bad error
	for name, c := range found {
		c.Name = strings.TrimSuffix(path.Join(prefix, c.Name), suffix)
		if err := listable(c.Name); err != nil {
			bad = errors.Join(bad, err)
		}
		found[name] = c
	}
	return bad
}

// suffix is the extension that all videos share; "" if they do not, or if the
// names keep it.
func (o UCF101) suffix(found map[string]Clip) string {
	if o.Frames != "" || o.Extension {
		return ""
	}
	suffix, first := "", true
	for _, c := range found {
		ext := path.Ext(c.Name)
		if !first && ext != suffix {
			return ""
		}
		suffix, first = ext, false
	}
	return suffix
}

// lists are those of all splits, and their counts.
func (o UCF101) lists(a *ucf101Annotations, found map[string]Clip, r *UCF101Report) []List {
	format := "videos"
	if o.Frames != "" {
		format = "rawframes"
	}
	list := func(use string, split int, names []string) (List, int) {
		l := List{Name: fmt.Sprintf("ucf101_%s_split_%d_%s.txt", use, split, format)}
		for _, name := range names {
			if c, ok := found[name]; ok {
				l.Clips = append(l.Clips, c)
			}
		}
		return l, len(names) - len(l.Clips)
	}
	var out []List
	for _, s := range a.splits {
		count := UCF101Split{Split: s.number}
		if s.train != nil {
			l, missing := list("train", s.number, s.train)
			count.Train, count.MissingTrain = len(l.Clips), missing
			out = append(out, l)
		}
		if s.test != nil {
			l, missing := list("val", s.number, s.test)
			count.Val, count.MissingVal = len(l.Clips), missing
			out = append(out, l)
		}
		r.Splits = append(r.Splits, count)
	}
	return out
}
