package prepare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/pptsn/pptsn/internal/textfile"
	"github.com/pptsn/pptsn/labels"
)

// An ownRow is a row of a user's CSV file.
type ownRow struct {
	path, label, group string
	side               int // -1: to be dealt
}

// parseOwn reads a CSV file with the columns path and label and, as one likes,
// split and group; others do not matter. Rows that cannot be used are returned
// as problems.
func parseOwn(file, text string) (rows []ownRow, bad []Problem, err error) {
	at := []int(nil)
	first := map[string]int{} // line of a cleaned path
	for n, line := range lines(text) {
		row, err := fields(line)
		if at == nil {
			if err != nil {
				return nil, nil, Problem{file, n, "header: " + err.Error()}
			}
			at = columns(row, "path", "label", "split", "group")
			if at[0] < 0 || at[1] < 0 {
				return nil, nil, Problem{file, n, fmt.Sprintf("want a header with path,label and perhaps split,group, have %s", quoted(line))}
			}
			continue
		}
		var r ownRow
		if err == nil {
			r, err = parseOwnRow(row, at)
		}
		if line, again := first[path.Clean(r.path)]; err == nil && again {
			err = fmt.Errorf("%s a second time; the first is on line %d", quoted(r.path), line)
		}
		if err != nil {
			bad = append(bad, Problem{file, n, err.Error()})
			continue
		}
		first[path.Clean(r.path)] = n
		rows = append(rows, r)
	}
	if at == nil {
		return nil, nil, fmt.Errorf("%s: the file is empty", file)
	}
	return rows, bad, nil
}

func parseOwnRow(row []string, at []int) (ownRow, error) {
	r := ownRow{path: field(row, at[0]), label: field(row, at[1]), group: field(row, at[3]), side: -1}
	split := field(row, at[2])
	switch {
	case r.path == "":
		return r, errors.New("the path is empty")
	case r.label == "":
		return r, errors.New("the label is empty")
	case split != "":
		side, ok := parseSide(split)
		if !ok {
			return r, fmt.Errorf("split %s: want train, val, test or nothing", quoted(split))
		}
		r.side = side
	}
	return r, nil
}

// readCSV finds the clips of the CSV file: below Dir or, if they are not there,
// beside the CSV file.
func (o Folder) readCSV(ctx context.Context, r *FolderReport) (clips []ownClip, names []string, err error) {
	text, err := textfile.Read(o.CSV)
	if err != nil {
		return nil, nil, err
	}
	rows, bad, err := parseOwn(o.CSV, text)
	if err != nil {
		return nil, nil, err
	}
	r.Bad = append(r.Bad, bad...)
	classOf, names, err := o.classes(rows)
	if err != nil {
		return nil, nil, err
	}
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		name, ok := o.resolve(row.path)
		if !ok {
			r.Missing = append(r.Missing, row.path)
			continue
		}
		clips = append(clips, ownClip{name: name, class: classOf(row.label), group: row.group, side: row.side})
	}
	if len(clips) == 0 {
		return nil, nil, errors.Join(fmt.Errorf("%s: no clip is there of %d%s: paths count from %s or from the CSV file's folder", o.CSV, len(rows), such(r.Missing), o.Dir), joined(bad))
	}
	return clips, names, nil
}

// such is an example for an error, nothing of none.
func such(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", such as " + quoted(names[0])
}

// resolve finds the file of a row; its name is relative to Dir if it lies there.
func (o Folder) resolve(name string) (string, bool) {
	if path.IsAbs(name) {
		return name, isFile(name)
	}
	if isFile(filepath.Join(o.Dir, name)) {
		return path.Clean(name), true
	}
	beside, err := filepath.Abs(filepath.Join(filepath.Dir(o.CSV), name))
	return beside, err == nil && isFile(beside)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// classes tells what the labels of the rows mean: names of classes; or, if all
// are numbers and no names of the list of classes, their indices.
func (o Folder) classes(rows []ownRow) (classOf func(label string) string, names []string, err error) {
	itself := func(label string) string { return label }
	given := []string(nil)
	if o.Labels != "" {
		if given, err = labels.Read(o.Labels); err != nil {
			return nil, nil, err
		}
	}
	seen := map[string]bool{}
	numbers, top := true, 0
	for _, row := range rows {
		if seen[row.label] {
			continue
		}
		seen[row.label] = true
		names = append(names, row.label)
		n, err := strconv.Atoi(row.label)
		numbers, top = numbers && err == nil && n >= 0 && strconv.Itoa(n) == row.label && !slices.Contains(given, row.label), max(top, n)
	}
	if !numbers {
		slices.SortFunc(names, natural)
		return itself, names, nil
	}
	const most = 1 << 20 // classes that nobody has
	switch {
	case given != nil && top >= len(given):
		return nil, nil, fmt.Errorf("%s: label %d, but %s has %d classes", o.CSV, top, o.Labels, len(given))
	case top >= most:
		return nil, nil, fmt.Errorf("%s: label %d: want numbers of classes, from 0", o.CSV, top)
	case given == nil:
		for i := range top + 1 {
			given = append(given, strconv.Itoa(i))
		}
	}
	return func(label string) string {
		n, _ := strconv.Atoi(label) // a number, see above
		return given[n]
	}, given, nil
}
