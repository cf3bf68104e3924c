// Package pdparams reads and writes Paddle's checkpoints: the .pdparams and
// .pdopt files of paddle.save and the .pdiparams.info file of paddle.jit.save.
//
// They are Python pickles of a dict from name to numpy array. Python runs
// whatever a pickle asks for; this package runs nothing. It understands the
// opcodes that the picklers of protocols 2 to 5 emit and a fixed list of
// classes, and refuses every other class by its name ([ForbiddenError]).
//
// What is covered: arrays of every bool, integer, float and complex type, of
// either byte order and C or Fortran layout; numpy scalars; tensors that
// protocol 2 and 3 split because they are large; tensors in nested dicts,
// lists and tuples, where paddle.save writes a (parameter name, array) pair;
// plain Python values. What is not: arrays of objects, strings, times or
// records, buffers outside the file (protocol 5), persistent ids, extension
// codes, classes of one's own. Paddle stores bfloat16 tensors as uint16 without
// a note of it, and so they stay uint16.
//
// Sources: Python's pickletools (the opcodes), numpy's ndarray.__reduce__, and
// Paddle's python/paddle/framework/io.py and io_utils.py.
package pdparams

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

// A File is an open checkpoint. Its names and plain values are in memory, its
// tensors still in the file. The methods may be used by several goroutines.
type File struct {
	src     *pickle.Source
	tensors []entry
	index   map[string]int // position in tensors
	values  *Dict
	close   func() error
}

// An entry is a tensor in the file.
type entry struct {
	name  string
	param string // parameter name; "" if the file has none
	typ   tensor.Type
	shape []int
	parts []*array // in order; one unless the tensor was split
}

// Open opens the checkpoint at path. The caller closes it. Errors of the
// content are a *[FormatError], *[UnsupportedError] or *[ForbiddenError].
func Open(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("pdparams: %w", err)
	}
	f, err := read(r)
	if err != nil {
		return nil, fmt.Errorf("pdparams: %s: %w", path, errors.Join(err, r.Close()))
	}
	f.close = r.Close
	return f, nil
}

func read(r *os.File) (*File, error) {
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		if info.IsDir() {
			return nil, errors.New("is a folder, not a file")
		}
		return nil, errors.New("is not a regular file")
	}
	return parse(r, info.Size())
}

// Read reads a checkpoint of size bytes. It needs r as long as the File is in
// use.
func Read(r io.ReaderAt, size int64) (*File, error) {
	f, err := parse(r, size)
	if err != nil {
		return nil, fmt.Errorf("pdparams: %w", err)
	}
	return f, nil
}

func parse(r io.ReaderAt, size int64) (*File, error) {
	src := pickle.NewSource(r, size)
	if err := sniff(src); err != nil {
		return nil, err
	}
	m, root, err := pickle.Load(src, &rules)
	if err != nil {
		return nil, err
	}
	return newFile(m, root)
}

// Close closes the file that Open opened.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	c := f.close
	f.close = nil
	return c()
}

// Names lists the tensors in the order of the file. The name of a tensor in a
// nested value is the path to it, keys and positions joined by "/":
// "model/backbone.conv.weight".
func (f *File) Names() []string {
	names := make([]string, len(f.tensors))
	for i := range f.tensors {
		names[i] = f.tensors[i].name
	}
	return names
}

// Info returns a tensor's shape and element type without reading it.
func (f *File) Info(name string) (shape []int, t tensor.Type, ok bool) {
	i, ok := f.index[name]
	if !ok {
		return nil, 0, false
	}
	e := &f.tensors[i]
	return slices.Clone(e.shape), e.typ, true
}

// Tensor reads a tensor. Its memory belongs to the caller.
func (f *File) Tensor(name string) (*tensor.Dense, error) {
	i, ok := f.index[name]
	if !ok {
		return nil, fmt.Errorf("pdparams: no tensor %q", name)
	}
	e := &f.tensors[i]
	d := tensor.New(e.typ, e.shape...)
	rest := d.Data
	for _, a := range e.parts {
		n := tensor.Count(a.shape) * a.typ.Size()
		if err := a.read(f.src, rest[:n]); err != nil {
			return nil, fmt.Errorf("pdparams: tensor %s: %w", name, err)
		}
		rest = rest[n:]
	}
	return d, nil
}

// ParameterName returns the name that Paddle's programs use for a tensor
// ("conv2d_0.w_0"), which the file keeps beside the structured one
// ("conv.weight").
func (f *File) ParameterName(structured string) (string, bool) {
	i, ok := f.index[structured]
	if !ok || f.tensors[i].param == "" {
		return "", false
	}
	return f.tensors[i].param, true
}

// Values returns what the file holds beside tensors, such as "epoch" or
// "LR_Scheduler". A nested value that contains tensors is here too, with a
// [Ref] for each of them. The Dict is shared: do not change it.
func (f *File) Values() *Dict { return f.values }
