package prepare

import (
	"context"
	"errors"
	"fmt"
	"github.com/pptsn/pptsn/internal/textfile"
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
		text, err := textfile.Read(file)
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
