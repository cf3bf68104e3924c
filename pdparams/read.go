package pdparams

import (
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// read fills dst, which has the size of all elements, with them:
// little-endian, the last axis varying fastest.
func (a *array) read(src *source, dst []byte) error {
	if err := a.data.read(src, dst); err != nil {
		return err
	}
	if a.big {
		swapBytes(dst, a.typ)
	}
	if a.fortran && len(a.shape) > 1 {
		transpose(dst, slices.Clone(dst), a.shape, a.typ.Size())
	}
	return nil
}

// chunkSize is how much text is decoded or encoded at a time.
const chunkSize = 128 << 10

// read fills dst with all bytes of b; it is an error if they are not as many.
func (b *blob) read(src *source, dst []byte) error {
	if !b.chars {
		return src.read(dst, b.off)
	}
	n := 0
	err := b.chunks(src, func(chunk []byte, last bool) (int, error) {
		used, made, ok := decodeLatin1(dst[n:], chunk, last)
		n += made
		if !ok || (last && used < len(chunk)) || (n == len(dst) && used == 0) {
			return 0, &FormatError{b.off, "the text that holds an array is not as many latin-1 characters as the array has bytes"}
		}
		return used, nil
	})
	if err == nil && n < len(dst) {
		err = &FormatError{b.off, "the text that holds an array has fewer characters than the array has bytes"}
	}
	return err
}

// count is the number of bytes that b stands for.
func (b *blob) count(src *source) (int, error) {
	if !b.chars {
		return int(b.n), nil
	}
	n := 0
	err := b.chunks(src, func(chunk []byte, _ bool) (int, error) {
		for _, c := range chunk {
			if c&0xc0 != 0x80 {
				n++
			}
		}
		return len(chunk), nil
	})
	return n, err
}

// chunks hands the bytes of the file to f, which says how many it has used;
// the others come again with the next chunk.
func (b *blob) chunks(src *source, f func(chunk []byte, last bool) (int, error)) error {
	buf := make([]byte, min(chunkSize, b.n))
	for off, end := b.off, b.off+b.n; off < end; {
		chunk := buf[:min(int64(len(buf)), end-off)]
		if err := src.read(chunk, off); err != nil {
			return err
		}
		n, err := f(chunk, off+int64(len(chunk)) == end)
		if err != nil {
			return err
		}
		off += int64(n)
	}
	return nil
}

// swapBytes turns big-endian elements into little-endian ones.
func swapBytes(b []byte, t tensor.Type) {
	size := t.Size()
	if t == tensor.Complex64 || t == tensor.Complex128 {
		size /= 2 // two numbers
	}
	if size == 1 {
		return
	}
	for e := range slices.Chunk(b, size) {
		slices.Reverse(e)
	}
}

// transpose copies elements of some bytes each from src, where the first axis
// varies fastest, to dst, where the last does.
func transpose(dst, src []byte, shape []int, size int) {
	step := make([]int, len(shape)) // in src, in bytes
	n := size
	for i, d := range shape {
		step[i] = n
		n *= d
	}
	index := make([]int, len(shape))
	at := 0
	for i := 0; i < len(dst); i += size {
		copy(dst[i:i+size], src[at:at+size])
		for axis := len(shape) - 1; axis >= 0; axis-- {
			index[axis]++
			at += step[axis]
			if index[axis] < shape[axis] {
				break
			}
			at -= step[axis] * shape[axis]
			index[axis] = 0
		}
	}
}
