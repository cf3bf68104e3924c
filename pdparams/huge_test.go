//go:build unix && (amd64 || arm64)

package pdparams_test

import (
	"bytes"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

// zeros is an io.ReaderAt of a file whose middle is zero.
type zeros struct {
	head, tail []byte
	size       int64
}

func (z *zeros) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if off < int64(len(z.head)) {
		copy(p, z.head[off:])
	}
	if i := off + int64(len(p)) - (z.size - int64(len(z.tail))); i > 0 {
		copy(p[max(0, int64(len(p))-i):], z.tail[max(0, i-int64(len(p))):])
	}
	return len(p), nil
}

// Write keeps the head and the tail of what is written.
func (z *zeros) Write(p []byte) (int, error) {
	if len(z.head) < 4096 {
		z.head = append(z.head, p[:min(len(p), 4096)]...)
	}
	z.tail = append(z.tail, p[max(0, len(p)-4096):]...)
	z.tail = z.tail[max(0, len(z.tail)-4096):]
	z.size += int64(len(p))
	return len(p), nil
}

// A tensor beyond 4 GiB is one object in protocol 4.
func TestTensorBeyond4GiB(t *testing.T) {
	const n = 1<<30 + 5                                                                // of float32
	data, err := unix.Mmap(-1, 0, 4*n, unix.PROT_READ, unix.MAP_ANON|unix.MAP_PRIVATE) // zeros that take no memory
	if err != nil {
		t.Skip("no room in the address space:", err)
	}
	defer unix.Munmap(data)
	big := &tensor.Dense{Type: tensor.Float32, Shape: []int{n}, Data: data}
	small := tensor.FromFloat32([]float32{1, 2}, 2)
	var file zeros
	if err := pdparams.Write(&file, []pdparams.Entry{{Name: "big", Tensor: big}, {Name: "small", Tensor: small}}, pdparams.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	f, err := pdparams.Read(&file, file.size)
	if err != nil {
		t.Fatal(err)
	}
	if shape, typ, ok := f.Info("big"); !ok || typ != tensor.Float32 || fmt.Sprint(shape) != fmt.Sprint(big.Shape) {
		t.Errorf("big is %s %v", typ, shape)
	}
	if d, err := f.Tensor("small"); err != nil || !bytes.Equal(d.Data, small.Data) {
		t.Errorf("small is %v, %v", d, err)
	}
}
