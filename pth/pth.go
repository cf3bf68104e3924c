// Package pth reads and writes the checkpoints of PyTorch: the files of
// torch.save that hold a state dict (.pth, .pt, .bin).
//
// Both formats are read: the zip archive of PyTorch 1.6 and later (ARCHIVE/data.pkl
// beside ARCHIVE/data/KEY, one file a storage) and the legacy one (a magic number,
// a few pickles, the storages). The pickles run nothing, see package pickle: a
// fixed list of classes is known, every other one is refused by its name.
//
// What is covered: dense tensors of every bool, integer, float and complex type
// of PyTorch 1.13 on any device, with any strides and offsets, that share
// storages or not; parameters; a state dict that stands alone or under a key
// beside other values. What is not: whole modules, TorchScript, sparse and
// quantised tensors, big-endian files, archives that were compressed anew.
//
// Sources: torch/serialization.py, torch/_utils.py and caffe2/serialize/inline_container.cc
// of PyTorch 1.13.
package pth

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

// The errors of a file's content.
type (
	// A FormatError reports input that is not a valid checkpoint.
	FormatError = pickle.FormatError
	// An UnsupportedError reports a valid file with something that is not read.
	UnsupportedError = pickle.UnsupportedError
	// A ForbiddenError reports a class that is no part of a state dict. Python
	// would import and call it.
	ForbiddenError = pickle.ForbiddenError
)

// A File is an open checkpoint. Its names are in memory, its tensors still in
// the file. The methods may be used by several goroutines.
type File struct {
	r      io.ReaderAt
	names  []string
	views  map[string]*view
	under  string
	shared cache
}

// A cache keeps the storage that was read last, for tensors that share it.
type cache struct {
	sync.Mutex
	of   *storage
	data []byte
}

// Read reads a checkpoint of size bytes. It needs r as long as the File is in
// use. Errors of the content are a *[FormatError], *[UnsupportedError] or
// *[ForbiddenError].
func Read(r io.ReaderAt, size int64) (*File, error) {
	f, err := parse(r, size)
	if err != nil {
		return nil, fmt.Errorf("pth: %w", err)
	}
	return f, nil
}

func parse(r io.ReaderAt, size int64) (*File, error) {
	src := pickle.NewSource(r, size)
	head, err := src.Peek(512)
	if err != nil {
		return nil, err
	}
	f := &File{r: r}
	switch {
	case IsZip(head):
		err = f.readZip(size)
	case IsLegacy(head):
		err = f.readLegacy(src)
	default:
		err = stranger(head)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Names lists the tensors in the order of the state dict.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Under is the key that holds the state dict, "" if it stands alone.
func (f *File) Under() string { return f.under }

// Info returns a tensor's shape and element type without reading it.
func (f *File) Info(name string) (shape []int, t tensor.Type, ok bool) {
	v, ok := f.views[name]
	if !ok {
		return nil, 0, false
	}
	return slices.Clone(v.shape), v.typ, true
}

// Tensor reads a tensor, row-major. Its memory belongs to the caller.
func (f *File) Tensor(name string) (*tensor.Dense, error) {
	v, ok := f.views[name]
	if !ok {
		return nil, fmt.Errorf("pth: no tensor %q", name)
	}
	d, err := f.view(v)
	if err != nil {
		return nil, fmt.Errorf("pth: tensor %s: %w", name, err)
	}
	return d, nil
}
