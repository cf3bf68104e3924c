package evaluate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// partial is the ending of a dump that is not whole.
const partial = ".partial"

// A Dump writes rows to a file as they come, one JSON object a line. Until it
// is whole the file has the ending .partial; whatever stops the program, the
// rows so far stay there.
type Dump struct {
	path string
	f    *os.File // nil when closed
	rows int
}

// CreateDump begins a dump. The caller closes it.
func CreateDump(path string) (*Dump, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("evaluate: dump: %s is a folder: want the name of a file", path)
	}
	f, err := os.Create(path + partial)
	if err != nil {
		return nil, fmt.Errorf("evaluate: dump: %w", err)
	}
	return &Dump{path: path, f: f}, nil
}

// Write adds a row.
func (d *Dump) Write(r Row) error {
	b := &bytes.Buffer{}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false) // file names as they are
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("evaluate: dump: %s: %w", r.File, err)
	}
	if _, err := d.f.Write(b.Bytes()); err != nil { // whole lines: a cut one tells of a full disk
		return fmt.Errorf("evaluate: dump: %w", err)
	}
	d.rows++
	return nil
}

// Finish says that all rows are there: the file gets its name.
func (d *Dump) Finish() error {
	err := errors.Join(d.f.Sync(), d.f.Close())
	d.f = nil
	if err == nil {
		err = os.Rename(d.path+partial, d.path)
	}
	if err != nil {
		return fmt.Errorf("evaluate: dump: %w", err)
	}
	return nil
}

// Close ends a dump. One that is not finished keeps its rows in the file whose
// name is returned; without rows none is left and the name is "".
func (d *Dump) Close() (left string, err error) {
	if d.f == nil {
		return "", nil
	}
	err = d.f.Close()
	d.f = nil
	if d.rows == 0 {
		return "", errors.Join(err, os.Remove(d.path+partial))
	}
	return d.path + partial, err
}
