package pdmodel

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// A stream reads a file from its beginning and knows how much is left.
type stream struct {
	r         *bufio.Reader
	pos, size int64
}

func newStream(r io.ReaderAt, size int64) *stream {
	return &stream{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16), size: size}
}

func (s *stream) left() int64 { return s.size - s.pos }

// peek returns the next n bytes, or as many as there are.
func (s *stream) peek(n int) ([]byte, error) {
	b, err := s.r.Peek(n)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b, err
}

// need reports a file that ends before n more bytes.
func (s *stream) need(n uint64) error {
	if n > uint64(s.left()) {
		return formatErrorf(s.pos, "the file ends within a tensor: %d more bytes wanted, %d left", n, s.left())
	}
	return nil
}

func (s *stream) read(b []byte) error {
	if err := s.need(uint64(len(b))); err != nil {
		return err
	}
	n, err := io.ReadFull(s.r, b)
	s.pos += int64(n)
	return err
}

func (s *stream) skip(n uint64) error {
	if err := s.need(n); err != nil {
		return err
	}
	copied, err := io.CopyN(io.Discard, s.r, int64(n))
	s.pos += copied
	return err
}

func (s *stream) bytes(n uint64) ([]byte, error) {
	if err := s.need(n); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	return b, s.read(b)
}

func (s *stream) uint32() (uint32, error) {
	var b [4]byte
	err := s.read(b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

func (s *stream) uint64() (uint64, error) {
	var b [8]byte
	err := s.read(b[:])
	return binary.LittleEndian.Uint64(b[:]), err
}

// version reads the version of the format, of which there is only 0.
func (s *stream) version() error {
	at := s.pos
	v, err := s.uint32()
	if err == nil && v != 0 {
		err = formatErrorf(at, "tensor version %d, want 0: this is no .pdiparams file, or not the one of this program", v)
	}
	return err
}
