package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pptsn/pptsn/atomicfile"
)

// Copy writes the model's files under another prefix, program and weights byte
// for byte, with another manifest. Folders are made as needed. The program, by
// which a model is found, comes last. A prefix that is the model's own is an
// error: a model is never changed.
func (b *Bundle) Copy(prefix string, m Manifest) error {
	if err := m.validate(); err != nil {
		return fmt.Errorf("%s: %w", prefix, err)
	}
	if err := b.CheckCopy(prefix); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(prefix), 0o755); err != nil {
		return err
	}
	if err := copyFile(b.Params, prefix+weightsExt); err != nil {
		return err
	}
	if err := copyFile(b.names(), prefix+infoExt); err != nil && !errors.Is(err, fs.ErrNotExist) { // it is not needed to run the model
		return err
	}
	if err := atomicfile.Write(prefix+manifestExt, m.Write); err != nil {
		return fmt.Errorf("%s: %w", prefix+manifestExt, err)
	}
	return copyFile(b.Path, prefix+programExt)
}

// CheckCopy reports a prefix under which the model itself lies.
func (b *Bundle) CheckCopy(prefix string) error {
	for _, file := range []struct{ from, ext string }{{b.Params, weightsExt}, {b.names(), infoExt}, {b.Path, programExt}} {
		if same(file.from, prefix+file.ext) {
			return fmt.Errorf("%s: that is the model itself, which is not changed: choose another folder or name", prefix)
		}
	}
	return nil
}

// names is the path of the parameters' names.
func (b *Bundle) names() string { return strings.TrimSuffix(b.Params, weightsExt) + infoExt }

// same reports whether two paths lead to one file.
func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

func copyFile(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	err = atomicfile.Write(to, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	return nil
}
