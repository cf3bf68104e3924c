package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Latest returns the name of the newest whole checkpoint of a model in a folder:
// of the latest epoch, and within it of the latest iteration. The best one is
// not considered, nor are those that SetAside has dealt with. Newer ones that are
// damaged or incomplete are passed over, and each is a warning that names the
// file. Without any, err is ErrNone.
func Latest(dir, model string) (name string, warnings []error, err error) {
	names, err := list(dir, model)
	if err != nil {
		return "", nil, fmt.Errorf("checkpoint: %w", err)
	}
	for _, c := range names {
		path := filepath.Join(dir, c.name)
		f, err := verify(path)
		if err == nil && (f.Model != model || f.place() != c.place) {
			err = fmt.Errorf("%s: its state is of model %s, epoch %d, iteration %d: was it renamed?",
				path+stateExt, f.Model, f.Epochs, f.Iterations)
		}
		switch {
		case err == nil:
			return c.name, warnings, nil
		case errors.Is(err, ErrNoState) && isAside(path):
			continue
		}
		warnings = append(warnings, err)
	}
	return "", warnings, fmt.Errorf("checkpoint: %s: %w of %s", dir, ErrNone, model)
}

type named struct {
	place
	name string
}

// list returns the names of a model's checkpoints of which any file is there,
// newest first, without the best.
func list(dir, model string) ([]named, error) {
	dirEntries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []named
	for _, e := range dirEntries {
		name, _, ok := stem(e.Name())
		of, at, ok2 := parseName(name)
		if ok && ok2 && of == model && !slices.Contains(found, named{at, name}) {
			found = append(found, named{at, name})
		}
	}
	slices.SortFunc(found, func(a, b named) int { return b.compare(a.place) })
	return found, nil
}
