// Package safetensors reads and writes the tensor files of Hugging Face: 8 bytes
// with the length of a header, the header in JSON, and the tensors without gaps.
//
// What is covered: every bool, integer, float and complex type of 8 bits and more
// that numpy or Paddle has. What is not: numbers of 8 bits and fewer that are
// floats.
//
// Source: https://huggingface.co/docs/safetensors, "Format", and the checks of
// safetensors/src/tensor.rs.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// The sizes of the format, in bytes.
const (
	lengthSize = 8
	maxHeader  = 100_000_000
)

// A FormatError reports input that is not a valid file.
type FormatError struct {
	Offset int64 // in bytes from the start of the file
	Msg    string
}

func (e *FormatError) Error() string { return fmt.Sprintf("offset %d: %s", e.Offset, e.Msg) }

// types are the names of types in a header.
var types = map[string]tensor.Type{
	"BOOL": tensor.Bool, "U8": tensor.Uint8, "U16": tensor.Uint16, "U32": tensor.Uint32, "U64": tensor.Uint64,
	"I8": tensor.Int8, "I16": tensor.Int16, "I32": tensor.Int32, "I64": tensor.Int64,
	"F16": tensor.Float16, "BF16": tensor.BFloat16, "F32": tensor.Float32, "F64": tensor.Float64, "C64": tensor.Complex64,
}

// A File is an open file. Its names are in memory, its tensors still in the file.
// The methods may be used by several goroutines.
type File struct {
	r       io.ReaderAt
	names   []string
	entries map[string]*entry
}

// An entry is a tensor in the file.
type entry struct {
	typ   tensor.Type
	shape []int
	off   int64
}

// Is says whether a file that begins so looks like one, which may be cut short.
func Is(head []byte) bool {
	if len(head) <= lengthSize {
		return false
	}
	n := binary.LittleEndian.Uint64(head)
	return n >= 2 && n <= maxHeader && head[lengthSize] == '{'
}

// Read reads a file of size bytes. It needs r as long as the File is in use.
func Read(r io.ReaderAt, size int64) (*File, error) {
	f, err := parse(r, size)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	return f, nil
}

func parse(r io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, min(size, 64))
	if err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte("version https://git-lfs")) {
		return nil, &FormatError{0, `a Git LFS pointer, not the file it stands for: fetch that with "git lfs pull"`}
	}
	if len(head) < lengthSize {
		return nil, &FormatError{0, fmt.Sprintf("%d bytes are too few for a file of tensors", size)}
	}
	n := binary.LittleEndian.Uint64(head)
	switch {
	case n > maxHeader:
		return nil, &FormatError{0, fmt.Sprintf("a header of %d bytes is larger than the %d that the format allows: another kind of file?", n, maxHeader)}
	case n > uint64(size-lengthSize):
		return nil, &FormatError{0, fmt.Sprintf("the file is cut short: a header of %d bytes, %d left", n, size-lengthSize)}
	}
	f := &File{r: r, entries: map[string]*entry{}}
	header := make([]byte, n)
	if err := readAt(r, header, lengthSize); err != nil {
		return nil, err
	}
	if err := f.readHeader(header, size); err != nil {
		return nil, err
	}
	return f, nil
}

func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case errors.Is(err, io.EOF):
		return &FormatError{off + int64(n), "the file is cut short"}
	}
	return fmt.Errorf("offset %d: %w", off+int64(n), err)
}

// Names lists the tensors in the order of the header.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Info returns a tensor's shape and element type without reading it.
func (f *File) Info(name string) (shape []int, t tensor.Type, ok bool) {
	e, ok := f.entries[name]
	if !ok {
		return nil, 0, false
	}
	return slices.Clone(e.shape), e.typ, true
}

// Tensor reads a tensor. Its memory belongs to the caller.
func (f *File) Tensor(name string) (*tensor.Dense, error) {
	e, ok := f.entries[name]
	if !ok {
		return nil, fmt.Errorf("safetensors: no tensor %q", name)
	}
	d := tensor.New(e.typ, e.shape...)
	if err := readAt(f.r, d.Data, e.off); err != nil {
		return nil, fmt.Errorf("safetensors: tensor %s: %w", name, err)
	}
	return d, nil
}
