package atomicfile

import (
	"errors"
	"os"
)

// Named makes an empty temporary file beside path, for a library that wants a
// name to write to. Once that is done Sync follows and then Commit; or Discard.
func Named(path string) (*Pending, error) {
	f, err := temporary(path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Chmod(mode(path)), f.Close()); err != nil {
		os.Remove(f.Name())
		return nil, err
	}
	return &Pending{f.Name(), path}, nil
}

// Name is the path of the temporary file.
func (p *Pending) Name() string { return p.temporary }

// Sync brings the temporary file to the disk, whoever wrote it.
func (p *Pending) Sync() error {
	f, err := os.OpenFile(p.temporary, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
