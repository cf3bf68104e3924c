package pickle

// A Blob is a bytes or bytearray, read when wanted.
type Blob struct {
	span
	chars bool // written as UTF-8 text, each character standing for a byte
	known bool
	b     []byte
}

// BytesOf is the bytes that v is, if it is: a text of Python 2, which has no
// other bytes, counts.
func BytesOf(v any) (*Blob, bool) {
	if t, ok := v.(*Text); ok && t.latin1 {
		return t.blob(), true
	}
	b, ok := v.(*Blob)
	return b, ok
}

// Bounds says how many bytes b may be. The bytes of text are counted where they
// are decoded; until then each takes one or two bytes of the file.
func (b *Blob) Bounds() (least, most int64) {
	if b.chars {
		return (b.n + 1) / 2, b.n
	}
	return b.n, b.n
}

// chunkSize is how much text is decoded or encoded at a time.
const chunkSize = 128 << 10

// Read fills dst with all bytes of b; it is an error if they are not as many.
func (b *Blob) Read(src *Source, dst []byte) error {
	if !b.chars {
		return src.Read(dst, b.off)
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
func (b *Blob) count(src *Source) (int, error) {
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
func (b *Blob) chunks(src *Source, f func(chunk []byte, last bool) (int, error)) error {
	buf := make([]byte, min(chunkSize, b.n))
	for off, end := b.off, b.off+b.n; off < end; {
		chunk := buf[:min(int64(len(buf)), end-off)]
		if err := src.Read(chunk, off); err != nil {
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
