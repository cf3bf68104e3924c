package prepare

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Kinetics makes the lists of Kinetics-400, 600 or 700 from the official CSV
// files.
type Kinetics struct {
	CSV      []string // train.csv, val.csv, ...
	Videos   string   // folder of the clips, in any layout; see clipName
	Labels   string   // FromCSV, or a list for package labels; "": kinetics400 if it has all labels of the CSV files, else FromCSV
	Absolute bool     // write absolute paths
}

// KineticsReport says what became of the rows.
type KineticsReport struct {
	Name    string          `json:"name"`   // that the files begin with: kinetics400, kinetics600, kinetics700 or kinetics
	Labels  string          `json:"labels"` // where the order of the classes is from
	Classes int             `json:"classes"`
	Splits  []KineticsSplit `json:"splits"`
	Missing []string        `json:"missing"` // split, label and name of the clip, with tabs between
	Extra   []string        `json:"extra"`   // videos that no row names
	Several []Several       `json:"several"` // clips with more than one file
	Folders []Misplaced     `json:"folders"` // files that lie in another class's folder
	Unclear []Problem       `json:"unclear"` // left out: rows of one video whose file does not say which clip it is
	Double  []Problem       `json:"double"`  // rows of a clip that an earlier row has
	Bad     []Problem       `json:"bad"`     // rows that cannot be used
	Unnamed []string        `json:"unnamed"` // names that cannot stand in a list
	Skipped Skipped         `json:"skipped"`
}

// KineticsSplit counts the clips of one split.
type KineticsSplit struct {
	Split     string `json:"split"`
	Rows      int    `json:"rows"` // without double ones
	Found     int    `json:"found"`
	Missing   int    `json:"missing"`
	Unlabeled int    `json:"unlabeled"` // clips without a label: in no list
}

// Several is a clip with more than one file.
type Several struct {
	Taken string   `json:"taken"`
	Left  []string `json:"left"`
}

// Misplaced is a file in the folder of another class than the CSV file says.
type Misplaced struct {
	File   string `json:"file"`
	Folder string `json:"folder"` // class of the folder
	Label  string `json:"label"`  // of the CSV file, which counts
}

// Run reads the CSV files, looks for the clips and returns the report and the
// files to write. It is an error if no clip is found.
func (o Kinetics) Run(ctx context.Context) (*KineticsReport, []File, error) {
	rows, bad, err := o.read()
	if err != nil {
		return nil, nil, err
	}
	r := &KineticsReport{ // lists without items are [] in JSON, not null
		Splits: []KineticsSplit{}, Missing: []string{}, Extra: []string{}, Several: []Several{}, Folders: []Misplaced{},
		Unclear: []Problem{}, Double: []Problem{}, Bad: append([]Problem{}, bad...), Unnamed: []string{},
	}
	classes, from, err := kineticsClasses(o.Labels, rows, o.CSV)
	if err != nil {
		return nil, nil, err
	}
	r.Labels, r.Classes, r.Name = from, len(classes.list), "kinetics"
	if n := len(classes.list); n == 400 || n == 600 || n == 700 {
		r.Name = fmt.Sprintf("kinetics%d", n)
	}
	ix, err := indexKinetics(ctx, o.Videos, &r.Skipped)
	if err != nil {
		return nil, nil, err
	}
	j := kineticsJoin{o: o, report: r, classes: classes, index: ix}
	if err := j.run(ctx, rows); err != nil {
		return nil, nil, err
	}
	files, err := j.files()
	return r, files, err
}

// read reads all CSV files.
func (o Kinetics) read() (rows []kineticsRow, bad []Problem, err error) {
	for i, file := range o.CSV {
		text, err := readText(file)
		if err != nil {
			return nil, nil, err
		}
		more, wrong, err := parseKinetics(file, text, i)
		if err != nil {
			return nil, nil, err
		}
		rows, bad = append(rows, more...), append(bad, wrong...)
	}
	if len(rows) == 0 {
		return nil, nil, errors.Join(fmt.Errorf("%s: no row can be used", strings.Join(o.CSV, ", ")), joined(bad))
	}
	return rows, bad, nil
}

// A kineticsJoin finds the files of rows.
type kineticsJoin struct {
	o       Kinetics
	report  *KineticsReport
	classes classNames
	index   *kineticsIndex

	prefix string // before the names in lists
	split  [sides]KineticsSplit
	lists  [sides]List
}

func (j *kineticsJoin) run(ctx context.Context, rows []kineticsRow) error {
	if j.o.Absolute {
		abs, err := filepath.Abs(j.o.Videos)
		if err != nil {
			return err
		}
		j.prefix = abs
	}
	rows = j.unique(rows)
	clips := map[[11]byte]int{} // of a video
	for _, r := range rows {
		clips[r.key.id]++
	}
	found := 0
	for _, r := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := &j.split[r.side]
		s.Rows++
		files := j.index.lookUp(r.key)
		switch {
		case len(files) == 0:
			s.Missing++
			j.report.Missing = append(j.report.Missing, fmt.Sprintf("%s\t%s\t%s", sideNames[r.side], r.label, r.key))
		case clips[r.key.id] > 1 && len(j.index.files[r.key]) == 0:
			j.report.Unclear = append(j.report.Unclear, Problem{j.o.CSV[r.file], int(r.line), fmt.Sprintf("%s may be any of the %d clips of its video: name it like %s", files[0], clips[r.key.id], r.key)})
		default:
			s.Found++
			found++
			j.take(r, files)
		}
	}
	j.report.Extra = append(j.report.Extra, j.index.unused()...)
	if found == 0 {
		return fmt.Errorf("%s: none of the %d clips is there: want files like %s.mp4", j.o.Videos, len(rows), rows[0].key)
	}
	return nil
}

// unique drops rows that say what an earlier one said. A clip in two splits
// stays in both, as the CSV files have it.
func (j *kineticsJoin) unique(rows []kineticsRow) []kineticsRow {
	first := make(map[kineticsKey]kineticsRow, len(rows))
	out := rows[:0:0]
	for _, r := range rows {
		f, again := first[r.key]
		if !again {
			first[r.key] = r
			out = append(out, r)
			continue
		}
		msg := fmt.Sprintf("%s a second time; the first is %s:%d", r.key, j.o.CSV[f.file], f.line)
		if normalized(f.label) != normalized(r.label) {
			msg += fmt.Sprintf(", with label %s instead of %s", quoted(f.label), quoted(r.label))
		}
		if f.side != r.side {
			msg += fmt.Sprintf(": the same clip in %s and in %s", sideNames[f.side], sideNames[r.side])
			out = append(out, r)
		}
		j.report.Double = append(j.report.Double, Problem{j.o.CSV[r.file], int(r.line), msg})
	}
	return out
}

// take puts a row with its files into its list.
func (j *kineticsJoin) take(r kineticsRow, files []string) {
	class, label, _ := j.classes.label(r.label)
	file := choose(files, class, j.classes)
	if len(files) > 1 {
		left := make([]string, 0, len(files)-1)
		for _, f := range files {
			if f != file {
				left = append(left, f)
			}
		}
		j.report.Several = append(j.report.Several, Several{file, left})
	}
	if r.label == "" {
		j.split[r.side].Unlabeled++
		return
	}
	if folder := j.classes.folder(file); folder != "" && folder != class {
		j.report.Folders = append(j.report.Folders, Misplaced{file, folder, class})
	}
	name := path.Join(j.prefix, file)
	if err := listable(name); err != nil {
		j.report.Unnamed = append(j.report.Unnamed, err.Error())
		return
	}
	l := &j.lists[r.side]
	l.Clips = append(l.Clips, Clip{Name: name, Label: label})
}

// files are the lists, the labels and the reports.
func (j *kineticsJoin) files() ([]File, error) {
	name := j.report.Name
	out := []File{reportFile(name+"_missing.txt", j.report.Missing), reportFile(name+"_extra.txt", j.report.Extra)}
	names, err := labelFile(name+"_labels.txt", j.classes.list)
	if err != nil {
		return nil, err
	}
	out = append(out, names)
	for side, l := range j.lists {
		if s := j.split[side]; s.Rows > 0 {
			s.Split = sideNames[side]
			j.report.Splits = append(j.report.Splits, s)
		}
		if len(l.Clips) == 0 {
			continue
		}
		l.Name = fmt.Sprintf("%s_%s_videos.list", name, sideNames[side])
		f, err := l.file()
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}
