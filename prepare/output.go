package prepare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/labels"
)

// A Clip is a line of a list.
type Clip struct {
	Name   string // as in the list
	Frames int    // pictures of a folder; 0 for a video
	Label  int
}

// A List is a list of clips to write.
type List struct {
	Name  string // of the file
	Clips []Clip
}

// A File is a file to write.
type File struct {
	Name   string
	Data   []byte
	Report bool // says how a run went: replaces that of an earlier one
	Absent bool // is not to be there: one of an earlier run would not fit the other files
}

// file is the list as package dataset reads it. Names that cannot stand in a
// list must be left out before; see listable.
func (l List) file() (File, error) {
	var b bytes.Buffer
	for _, c := range l.Clips {
		line, err := dataset.FormatLine(c.Name, c.Frames, c.Label)
		if err != nil {
			return File{}, err
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return File{Name: l.Name, Data: b.Bytes()}, nil
}

// listable says why a name cannot stand in a list; nil: it can.
func listable(name string) error {
	_, err := dataset.FormatLine(name, 0, 0)
	return err
}

// labelFile is a list of class names as package labels reads it: one a line, or
// with their indices where a line of its own would be taken for something else.
func labelFile(name string, names []string) (File, error) {
	plain := strings.Join(names, "\n") + "\n"
	var numbered strings.Builder
	for i, n := range names {
		fmt.Fprintf(&numbered, "%d %s\n", i, n)
	}
	for _, text := range []string{plain, numbered.String()} {
		if got, err := labels.Parse([]byte(text)); err == nil && slices.Equal(got, names) {
			return File{Name: name, Data: []byte(text)}, nil
		}
	}
	return File{}, fmt.Errorf("%s: %s: rename it", name, unwritable(names))
}

// unwritable says which name of a class is not read back as it is.
func unwritable(names []string) string {
	for _, n := range names {
		switch why := listable(n); {
		case why != nil:
			return "the name of the class " + why.Error()
		case !utf8.ValidString(n):
			return fmt.Sprintf("the name of the class %s is not UTF-8", quoted(n))
		}
	}
	return fmt.Sprintf("the names of the classes, %s the first, cannot be written one a line", quoted(names[0]))
}

// reportFile has one item a line; a name with a line break in it is quoted.
func reportFile(name string, items []string) File {
	var b bytes.Buffer
	for _, s := range items {
		if strings.ContainsAny(s, "\r\n") {
			s = fmt.Sprintf("%q", s)
		}
		b.WriteString(s)
		b.WriteByte('\n')
	}
	return File{Name: name, Data: b.Bytes(), Report: true}
}

// Write puts files into a folder, which is made if it is not there: all of them
// or, but for a failing disk, none. Unless force is set, a list that is there
// already and differs, or should not be there, is an error and nothing is
// written.
func Write(dir string, files []File, force bool) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range files {
		if err := f.replaceable(dir, force); err != nil {
			return err
		}
	}
	var pending []*atomicfile.Pending
	defer func() {
		for _, p := range pending {
			p.Discard()
		}
	}()
	for _, f := range files {
		if f.Absent {
			continue
		}
		p, err := atomicfile.Prepare(filepath.Join(dir, f.Name), func(w io.Writer) error {
			_, err := w.Write(f.Data)
			return err
		})
		if err != nil {
			return err
		}
		pending = append(pending, p)
	}
	for _, p := range pending {
		if err := p.Commit(); err != nil {
			return err
		}
	}
	return removeAbsent(dir, files)
}

func removeAbsent(dir string, files []File) error {
	for _, f := range files {
		if !f.Absent {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// replaceable is nil if the file may be written.
func (f File) replaceable(dir string, force bool) error {
	if force || f.Report {
		return nil
	}
	path := filepath.Join(dir, f.Name)
	old, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer old.Close()
	if f.Absent {
		return fmt.Errorf("%s is there of an earlier run, and this one has no such list: --force removes it, -o writes elsewhere", path)
	}
	data, err := io.ReadAll(io.LimitReader(old, int64(len(f.Data))+1))
	if err != nil {
		return err
	}
	if !bytes.Equal(data, f.Data) {
		return fmt.Errorf("%s is there already and differs: --force replaces it, -o writes elsewhere", path)
	}
	return nil
}
