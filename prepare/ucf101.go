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

// Run reads the annotations, looks for the clips and returns the report and the
// files to write. It is an error if no clip is found.
func (o UCF101) Run(ctx context.Context) (*UCF101Report, []File, error) {
	a, err := readUCF101(o.Annotations)
	if err != nil {
		return nil, nil, err
	}
	r := &UCF101Report{ // lists without items are [] in JSON, not null
		Classes: len(a.names), Splits: []UCF101Split{}, Missing: []string{}, Extra: []string{}, Renamed: []Renamed{},
		Double: []string{}, Bad: []BadClip{}, Odd: append([]Problem{}, a.odd...),
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
	return fmt.Errorf("%s: no clip is there of %d in %s: give the folder in which files are called like %s", o.root(), r.Clips, o.Annotations, want)
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

// writable makes the names of the lists out of those of the files, and leaves out
// those that cannot stand there.
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
	for _, name := range slices.Sorted(maps.Keys(found)) {
		c := found[name]
		c.Name = strings.TrimSuffix(path.Join(prefix, c.Name), suffix)
		if err := listable(c.Name); err != nil {
			r.Bad = append(r.Bad, BadClip{found[name].Name, err.Error()})
			delete(found, name)
			continue
		}
		found[name] = c
	}
	return nil
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

// lists are those of all splits that have clips, and their counts.
func (o UCF101) lists(a *ucf101Annotations, found map[string]Clip, r *UCF101Report) []List {
	format := "videos"
	if o.Frames != "" {
		format = "rawframes"
	}
	var out []List
	add := func(use string, split int, names []string) (there, missing int) {
		l := List{Name: fmt.Sprintf("ucf101_%s_split_%d_%s.txt", use, split, format)}
		for _, name := range names {
			if c, ok := found[name]; ok {
				l.Clips = append(l.Clips, c)
			}
		}
		if len(l.Clips) > 0 {
			out = append(out, l)
		}
		return len(l.Clips), len(names) - len(l.Clips)
	}
	for _, s := range a.splits {
		count := UCF101Split{Split: s.number}
		count.Train, count.MissingTrain = add("train", s.number, s.train)
		count.Val, count.MissingVal = add("val", s.number, s.test)
		r.Splits = append(r.Splits, count)
	}
	return out
}
