package pth

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strconv"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

// root is the folder of the archive, torch.save's own for a file without a name.
const root = "archive/"

// align is where PyTorch begins the bytes of a storage, in bytes.
const align = 64

// Write writes the zip archive that torch.save writes of a dict of tensors on
// the CPU: torch.load reads it, with weights_only too. The same input gives the
// same bytes. PyTorch has no unsigned integers but uint8.
func Write(w io.Writer, entries []tensor.Named) error {
	if err := write(w, entries); err != nil {
		return fmt.Errorf("pth: write: %w", err)
	}
	return nil
}

func write(w io.Writer, entries []tensor.Named) error {
	dict, err := stateDict(entries)
	if err != nil {
		return err
	}
	var data bytes.Buffer
	if err := pickle.Write(&data, 2, dict, save); err != nil {
		return err
	}
	z := &zipWriter{Writer: zip.NewWriter(w)}
	records := []record{{"data.pkl", data.Bytes()}, {"byteorder", []byte("little")}}
	for i, e := range entries {
		records = append(records, record{"data/" + strconv.Itoa(i), e.Tensor.Data})
	}
	for _, r := range append(records, record{"version", []byte("3\n")}) {
		if err := z.add(r); err != nil {
			return err
		}
	}
	return z.Close()
}

// A record is a file of the archive.
type record struct {
	name string
	data []byte
}

// stored is tensor number key, its elements in a storage of their own.
type stored struct {
	*tensor.Dense
	key string
}

// hooks is the empty OrderedDict of a tensor without hooks.
type hooks struct{}

func stateDict(entries []tensor.Named) (*pickle.Dict, error) {
	d := &pickle.Dict{}
	for i, e := range entries {
		if err := e.Tensor.Check(); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", e.Name, err)
		}
		if _, ok := d.Get(e.Name); ok {
			return nil, fmt.Errorf("two tensors named %q", e.Name)
		}
		d.Set(e.Name, stored{e.Tensor, strconv.Itoa(i)})
	}
	return d, nil
}

// save writes a tensor as a call of _rebuild_tensor_v2.
func save(p *pickle.Pickler, v any) (bool, error) {
	switch v := v.(type) {
	case stored:
		shape, strides := layout(v.Shape)
		return true, p.Call(nil, pickle.Token{Module: "torch._utils", Name: "_rebuild_tensor_v2"},
			storageID(v), 0, shape, strides, false, hooks{})
	case hooks:
		return true, p.Call(nil, pickle.Token{Module: "collections", Name: "OrderedDict"})
	case storageID:
		class, err := className(v.Type)
		if err != nil {
			return true, err
		}
		return true, p.Persistent(pickle.Tuple{"storage", pickle.Token{Module: "torch", Name: class}, v.key, "cpu", v.Len()})
	}
	return false, nil
}

// storageID is a persistent id.
type storageID stored

func className(t tensor.Type) (string, error) {
	for name, typ := range storages {
		if typ == t {
			return name, nil
		}
	}
	return "", fmt.Errorf("PyTorch has no tensors of %s", t)
}

// layout is a shape and its strides, row-major.
func layout(shape []int) (sizes, strides pickle.Tuple) {
	sizes, strides = make(pickle.Tuple, len(shape)), make(pickle.Tuple, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		sizes[i], strides[i] = shape[i], step
		step *= max(shape[i], 1)
	}
	return sizes, strides
}

// A zipWriter adds files that are not compressed and begin at multiples of align.
type zipWriter struct {
	*zip.Writer
	pos int // bytes written
}

// The sizes of a local header without name and extra field, and of an extra
// field's own header (APPNOTE.TXT 4.3.7, 4.5.1).
const (
	headerSize = 30
	extraHead  = 4
)

func (z *zipWriter) add(r record) error {
	size := uint64(len(r.data))
	if size >= math.MaxUint32 {
		return fmt.Errorf("%s: %d bytes are more than a zip entry of 4 GiB holds", r.name, size)
	}
	name := root + r.name
	z.pos += headerSize + len(name) + extraHead
	padding := (align - z.pos%align) % align
	h := &zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(r.data),
		CompressedSize64: size, UncompressedSize64: size, Extra: filler(padding)}
	w, err := z.CreateRaw(h)
	if err != nil {
		return err
	}
	z.pos += padding + len(r.data)
	_, err = w.Write(r.data)
	return err
}

// filler is PyTorch's extra field "FB" with so many letters Z.
func filler(n int) []byte {
	return append([]byte{'F', 'B', byte(n), 0}, bytes.Repeat([]byte("Z"), n)...)
}
