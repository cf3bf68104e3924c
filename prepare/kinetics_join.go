package prepare

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
)

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
	clips := clipsOfVideos(rows)
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
		return fmt.Errorf("%s: no clip is there of %d in the CSV files: give the folder in or below which files are called like %s.mp4", j.o.Videos, len(rows), rows[0].key)
	}
	return nil
}

// clipsOfVideos counts the clips that are cut out of each video. One that is in
// two splits is one clip.
func clipsOfVideos(rows []kineticsRow) map[[11]byte]int {
	clips, seen := map[[11]byte]int{}, map[kineticsKey]bool{}
	for _, r := range rows {
		if !seen[r.key] {
			seen[r.key] = true
			clips[r.key.id]++
		}
	}
	return clips
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
		if r.label != "" && f.label != "" && normalized(f.label) != normalized(r.label) {
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
