package pth

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pptsn/pptsn/pickle"
)

// An archive is a zip file of torch.save.
type archive struct {
	r     io.ReaderAt
	size  int64
	root  string // before "data.pkl", with its slash
	files map[string]*zip.File
	found map[string]*storage
}

func (f *File) readZip(size int64) error {
	z, err := zip.NewReader(f.r, size)
	if err != nil {
		if errors.Is(err, zip.ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF) {
			return &pickle.FormatError{Offset: size, Msg: "the archive has no directory at its end: the file is cut short"}
		}
		return &pickle.FormatError{Offset: size, Msg: err.Error()}
	}
	a := &archive{r: f.r, size: size, files: map[string]*zip.File{}, found: map[string]*storage{}}
	for _, entry := range z.File {
		a.files[entry.Name] = entry
	}
	if err := a.findRoot(z.File); err != nil {
		return err
	}
	off, n, err := a.place("data.pkl")
	if err != nil {
		return err
	}
	_, root, err := pickle.Load(pickle.NewSource(io.NewSectionReader(f.r, off, n), n), rules(a.storage))
	if err != nil {
		return fmt.Errorf("%sdata.pkl: %w", a.root, explain(err)) // offsets count from its beginning
	}
	return f.enter(root)
}

// findRoot finds the folder of data.pkl, which has the name of the file that
// torch.save was given.
func (a *archive) findRoot(entries []*zip.File) error {
	for _, e := range entries {
		root, ok := strings.CutSuffix(e.Name, "data.pkl")
		if !ok || strings.Count(root, "/") != 1 || !strings.HasSuffix(root, "/") {
			continue
		}
		a.root = root
		if a.files[root+"constants.pkl"] != nil {
			return &pickle.UnsupportedError{What: "a TorchScript archive, not a state dict: in Python, " +
				"torch.save(torch.jit.load(FILE).state_dict(), OTHER)"}
		}
		return a.checkOrder()
	}
	return &pickle.FormatError{Msg: "a zip archive without ARCHIVE/data.pkl: torch.save did not write it"}
}

// checkOrder reads the record that newer versions write.
func (a *archive) checkOrder() error {
	if a.files[a.root+"byteorder"] == nil {
		return nil
	}
	off, n, err := a.place("byteorder")
	if err != nil {
		return err
	}
	b := make([]byte, min(n, 6))
	if err := pickle.NewSource(a.r, a.size).Read(b, off); err != nil {
		return err
	}
	if string(b) != "little" {
		return &pickle.UnsupportedError{Offset: off, What: "numbers of byte order " + string(b) + ": save it on a little-endian machine"}
	}
	return nil
}

// place is where the bytes of an entry are.
func (a *archive) place(name string) (off, n int64, err error) {
	e := a.files[a.root+name]
	if e == nil {
		return 0, 0, &pickle.FormatError{Msg: "the archive lacks " + a.root + name}
	}
	if e.Method != zip.Store {
		return 0, 0, &pickle.UnsupportedError{What: "an archive that was compressed anew: unpack it and load it in Python"}
	}
	off, err = e.DataOffset()
	if err != nil {
		return 0, 0, &pickle.FormatError{Msg: "entry " + e.Name + ": " + err.Error()}
	}
	n = int64(e.UncompressedSize64)
	if n < 0 || off > a.size || n > a.size-off {
		return 0, 0, &pickle.FormatError{Offset: off, Msg: "entry " + e.Name + " reaches beyond the end: the file is cut short"}
	}
	return off, n, nil
}

// storage returns what a persistent id stands for.
func (a *archive) storage(m *pickle.Machine, v any) any {
	id := readID(m, v)
	if s, ok := a.found[id.key]; ok {
		if s.typ != id.typ || s.n != id.n {
			m.Fail("storage %.40q is of two sizes", id.key)
		}
		return s
	}
	off, n, err := a.place("data/" + id.key)
	m.Check(err)
	if size := int64(id.typ.Size()); n%size != 0 || n/size != id.n {
		m.Fail("storage %.40q has %d bytes, want %d elements of %s", id.key, n, id.n, id.typ)
	}
	s := &storage{key: id.key, typ: id.typ, n: id.n, off: off, crc: &a.files[a.root+"data/"+id.key].CRC32}
	a.found[id.key] = s
	return s
}
