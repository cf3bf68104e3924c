package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pptsn/pptsn/atomicfile"
)

// Prune removes the checkpoints within an epoch that are older than the named
// one, which must be whole: once epoch 3 or a later iteration is saved they have
// no use. Those after an epoch, the best and other models' stay.
func Prune(dir, model, name string) error {
	of, at, ok := parseName(name)
	if !ok || of != model {
		return fmt.Errorf("checkpoint: %q is no checkpoint of %s", name, model)
	}
	names, err := list(dir, model)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	for _, c := range names {
		if c.iterations > 0 && c.compare(at) < 0 {
			err = errors.Join(err, remove(filepath.Join(dir, c.name)))
		}
	}
	return err
}

// remove deletes a checkpoint, its state first: what is left of it is incomplete.
// Its peers are next: of what has no other file than theirs list knows nothing.
func remove(path string) error {
	peers, err := peersOf(path)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	files := append([]string{path + stateExt, path + stateExt + asideExt}, peers...)
	for _, file := range append(files, path+optimExt, path+paramsExt) {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("checkpoint: %w", err)
		}
	}
	return nil
}

// Sweep removes the temporary files that killed runs left of files whose names
// begin with one of the prefixes. The caller holds the Lock of the folder: a
// file that another run is writing looks the same.
func Sweep(dir string, prefixes ...string) error {
	dirEntries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	for _, e := range dirEntries {
		of, ok := atomicfile.Leftover(e.Name())
		if !ok {
			continue
		}
		for _, prefix := range prefixes {
			if strings.HasPrefix(of, prefix) {
				err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
				break
			}
		}
	}
	return err
}
