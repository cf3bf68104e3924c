package prepare

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/pptsn/pptsn/atomicfile"
)

// begin takes the output folder for this process, checks the settings of an
// earlier run and removes what one that was killed left of single files.
func (r *run) begin(p *Plan) (release func(), err error) {
	if err := os.MkdirAll(r.o.Out, 0o777); err != nil {
		return nil, err
	}
	dir, err := os.Open(r.o.Out)
	if err != nil {
		return nil, err
	}
	err = r.lock(dir)
	if err == nil {
		err = errors.Join(r.tidy(p), r.keepSettings())
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return func() { dir.Close() }, nil
}

// lock keeps other runs out of the folder. NFS locks no folders: there the user
// must see to it.
func (r *run) lock(dir *os.File) error {
	err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("%s: another run writes here", r.o.Out)
	}
	if err != nil {
		r.warn("%s cannot be locked (%v): let no other run write there", r.o.Out, err)
	}
	return nil
}

func (r *run) warn(format string, args ...any) {
	if r.o.Warn != nil {
		r.o.Warn(fmt.Sprintf(format, args...))
	}
}

// settingsFile holds the settings of all that is in the folder.
func (r *run) settingsFile() string { return ".pptsn-" + r.kind() + ".json" }

func (r *run) keepSettings() error {
	path := filepath.Join(r.o.Out, r.settingsFile())
	old, err := readRecord(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case bytes.Equal(bytes.TrimSpace(old), r.settings):
		return nil
	case !r.o.Force:
		return fmt.Errorf("%s was begun with other settings, %s, not %s: give the same ones, another -o, or --force to make all of it again",
			r.o.Out, bytes.TrimSpace(old), r.settings)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(append(bytes.Clone(r.settings), '\n'))
		return err
	})
}

// tidy removes temporary files that were to become the settings or a list.
func (r *run) tidy(p *Plan) error {
	ours := []string{r.settingsFile()}
	for _, l := range p.lists {
		ours = append(ours, p.listName(l, r.maker))
	}
	for _, dir := range []string{r.o.Out, cmp.Or(r.o.Lists, r.o.Out)} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			if of, ok := atomicfile.Leftover(e.Name()); ok && slices.Contains(ours, of) {
				os.Remove(filepath.Join(dir, e.Name()))
			}
		}
	}
	return nil
}

// finish writes the lists, once all that they name is on the disk. An empty one
// is not written: nothing can read it.
func (r *run) finish(p *Plan) error {
	files, err := p.relist(r.maker, r.pictures)
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(f File) bool {
		if len(f.Data) == 0 {
			r.warn("%s is not written: none of its videos gave pictures", f.Name)
		}
		return len(f.Data) == 0
	})
	if len(files) == 0 {
		return nil
	}
	if err := syncNames(r.o.Out); err != nil {
		return err
	}
	dir := cmp.Or(r.o.Lists, r.o.Out)
	if err := Write(dir, files, true); err != nil {
		return err
	}
	for _, f := range files {
		r.sum.Lists = append(r.sum.Lists, filepath.Join(dir, f.Name))
	}
	return nil
}
