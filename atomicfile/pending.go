package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// A Pending is a file that is written and synced but not yet at its place. With
// it several files that belong together are first all written, which may fail
// for want of space, and then all renamed.
type Pending struct {
	temporary, path string
}

// Prepare is the first half of Write: it ends before the rename. Either Commit
// or Discard follows. After an error nothing is left to do.
func Prepare(path string, fill func(io.Writer) error) (p *Pending, err error) {
	f, err := temporary(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreClosed(f.Close()))
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := fill(w); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	if err := f.Chmod(mode(path)); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return &Pending{f.Name(), path}, nil
}

func temporary(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*"+suffix)
}

// Commit puts the file at its place. If that fails the temporary file is gone
// and what was at the place still there.
func (p *Pending) Commit() error {
	if err := os.Rename(p.temporary, p.path); err != nil {
		p.Discard()
		return err
	}
	return syncFolder(filepath.Dir(p.path))
}

// Discard removes the temporary file. After Commit it does nothing.
func (p *Pending) Discard() { os.Remove(p.temporary) }
