package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// asideExt is behind the name of a state file that was set aside.
const asideExt = ".old"

// SetAside is for a run that begins, or goes on from the checkpoint named after,
// in a folder where an earlier run of the same model left newer ones: without it
// the next resumption would take the earlier run's last. It adds .old to the
// names of their state files, so that Latest does not see them; parameters and
// optimiser state stay where they are, and can be opened as a pair of
// PaddleVideo's. An empty after means all. It returns the names, newest first.
func SetAside(dir, model, after string) (names []string, err error) {
	of, from, ok := parseName(after)
	if after != "" && (!ok || of != model) { // the zero place, before all, is for "" alone
		return nil, fmt.Errorf("checkpoint: %q is no checkpoint of %s", after, model)
	}
	found, err := list(dir, model)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	for _, c := range found {
		if c.compare(from) <= 0 {
			break
		}
		path := filepath.Join(dir, c.name+stateExt)
		if err := os.Rename(path, path+asideExt); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return names, fmt.Errorf("checkpoint: %w", err)
		}
		names = append(names, c.name)
	}
	return names, nil
}

// isAside says that a checkpoint has no state because it was set aside.
func isAside(path string) bool {
	_, err := os.Stat(path + stateExt + asideExt)
	return err == nil
}
