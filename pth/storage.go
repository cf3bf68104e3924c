package pth

import (
	"fmt"
	"hash/crc32"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

// A storage is a run of elements of one type in the file.
type storage struct {
	key string
	typ tensor.Type
	n   int64 // elements
	off int64 // of its bytes in the file
	crc *uint32
}

// storages are the types by their name in module torch.
var storages = map[string]tensor.Type{
	"BoolStorage": tensor.Bool, "ByteStorage": tensor.Uint8, "CharStorage": tensor.Int8, "ShortStorage": tensor.Int16,
	"IntStorage": tensor.Int32, "LongStorage": tensor.Int64, "HalfStorage": tensor.Float16, "BFloat16Storage": tensor.BFloat16,
	"FloatStorage": tensor.Float32, "DoubleStorage": tensor.Float64,
	"ComplexFloatStorage": tensor.Complex64, "ComplexDoubleStorage": tensor.Complex128,
}

// quantisedStorages are those of integers that stand for other numbers.
var quantisedStorages = []string{"QInt8Storage", "QUInt8Storage", "QInt32Storage", "QUInt4x2Storage", "QUInt2x4Storage"}

const quantised = "a quantised tensor: in Python, save its .dequantize()"

// A view is a tensor: elements of a storage.
type view struct {
	*storage
	offset  int64 // of the first, in elements
	shape   []int
	strides []int // in elements
}

// dense says whether v is row-major without gaps.
func (v *view) dense() bool {
	step := 1
	for i := len(v.shape) - 1; i >= 0; i-- {
		if v.shape[i] != 1 && v.strides[i] != step {
			return false
		}
		step *= v.shape[i]
	}
	return true
}

// check stops at a view that does not lie in its storage, or that has more
// elements: a few bytes could describe a huge one.
func (v *view) check(m *pickle.Machine) {
	n, ok := tensor.CheckedCount(v.shape)
	if !ok {
		m.Fail("a tensor of shape %.200s", tensor.ShapeString(v.shape))
	}
	if n > 0 && !v.inside() {
		m.Fail("a tensor of shape %.200s with strides %.200s from %d lies outside of its storage of %d elements",
			tensor.ShapeString(v.shape), tensor.ShapeString(v.strides), v.offset, v.n)
	}
	if int64(n) > v.n {
		m.Unsupported("a tensor of %d elements that repeats the %d of its storage: save a .contiguous() one", n, v.n)
	}
}

// inside says whether the storage reaches to the last element of v.
func (v *view) inside() bool {
	if v.offset < 0 {
		return false
	}
	left := v.n - 1 - v.offset // behind the element reached so far
	for i, d := range v.shape {
		step := int64(v.strides[i])
		if left < 0 || step > 0 && int64(d-1) > left/step {
			return false
		}
		left -= int64(d-1) * step
	}
	return left >= 0
}

// view reads a tensor.
func (f *File) view(v *view) (*tensor.Dense, error) {
	d := tensor.New(v.typ, v.shape...)
	size := int64(v.typ.Size())
	if v.dense() && int64(d.Len()) == v.n {
		return d, f.read(v.storage, d.Data)
	}
	if d.Len() == 0 {
		return d, nil
	}
	f.shared.Lock()
	defer f.shared.Unlock()
	if f.shared.of != v.storage {
		data := make([]byte, v.n*size)
		if err := f.read(v.storage, data); err != nil {
			return nil, err
		}
		f.shared.of, f.shared.data = v.storage, data
	}
	tensor.CopyStrided(d.Data, f.shared.data[v.offset*size:], v.shape, v.strides, int(size))
	return d, nil
}

// read reads all bytes of a storage and, in an archive, checks their sum.
func (f *File) read(s *storage, data []byte) error {
	if err := pickle.NewSource(f.r, s.off+int64(len(data))).Read(data, s.off); err != nil {
		return err
	}
	if s.crc != nil && crc32.ChecksumIEEE(data) != *s.crc {
		return &pickle.FormatError{Offset: s.off, Msg: fmt.Sprintf("the bytes of storage %s do not have the archive's checksum: "+
			"the file is damaged, or was written under torch.serialization.set_crc32_options(False)", s.key)}
	}
	return nil
}
