package prepare

import (
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/labels"
)

// FromCSV as Kinetics.Labels stands for the sorted labels of the CSV files.
const FromCSV = "from-csv"

// classNames are the classes of Kinetics.
type classNames struct {
	list  []string
	names map[string]string // normalized → as in list
	index map[string]int
}

func newClassNames(list []string) (classNames, error) {
	c := classNames{list: list, names: map[string]string{}, index: map[string]int{}}
	for i, name := range list {
		key := normalized(name)
		if other, ok := c.names[key]; ok {
			return c, fmt.Errorf("the classes %q and %q are too much alike", other, name)
		}
		c.names[key], c.index[name] = name, i
	}
	return c, nil
}

// label is the class of a row.
func (c classNames) label(name string) (class string, index int, ok bool) {
	class, ok = c.names[normalized(name)]
	return class, c.index[class], ok
}

// kineticsClasses reads the list of classes that rows are labelled with. Without
// a choice it is Kinetics-400's, if that has them all.
func kineticsClasses(choice string, rows []kineticsRow, csv []string) (c classNames, from string, err error) {
	switch choice {
	case FromCSV:
		c, err = newClassNames(csvLabels(rows))
		return c, FromCSV, err
	case "":
		c, err = readClasses("kinetics400")
		if err != nil || unknownLabels(c, rows, csv) == nil {
			return c, "kinetics400", err
		}
		c, err = newClassNames(csvLabels(rows))
		return c, FromCSV, err
	}
	if c, err = readClasses(choice); err != nil {
		return c, choice, err
	}
	if err := joined(unknownLabels(c, rows, csv)); err != nil {
		return c, choice, fmt.Errorf("%w (--labels %s takes the labels of the CSV files)", err, FromCSV)
	}
	return c, choice, nil
}

func readClasses(name string) (classNames, error) {
	list, err := labels.Read(name)
	if err != nil {
		return classNames{}, err
	}
	c, err := newClassNames(list)
	if err != nil {
		return c, fmt.Errorf("labels: %s: %w", name, err)
	}
	return c, nil
}

// csvLabels are the labels of the rows, sorted. Of several spellings the one
// that sorts first counts.
func csvLabels(rows []kineticsRow) []string {
	seen := map[string]bool{"": true}
	var all []string
	for _, r := range rows {
		if !seen[r.label] {
			seen[r.label] = true
			all = append(all, r.label)
		}
	}
	slices.Sort(all)
	alike := map[string]bool{}
	return slices.DeleteFunc(all, func(label string) bool {
		key := normalized(label)
		again := alike[key]
		alike[key] = true
		return again
	})
}

// unknownLabels are the labels that are no class, each where it is first.
func unknownLabels(c classNames, rows []kineticsRow, csv []string) (out []Problem) {
	seen := map[string]bool{"": true}
	for _, r := range rows {
		if seen[r.label] {
			continue
		}
		seen[r.label] = true
		if _, _, ok := c.label(r.label); !ok {
			out = append(out, Problem{csv[r.file], int(r.line), fmt.Sprintf("label %s is none of the %d classes", quoted(r.label), len(c.list))})
		}
	}
	return out
}
