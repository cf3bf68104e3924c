package pickle

import (
	"errors"
	"fmt"
	"io"
)

// windowSize is how much is read at a time where opcodes are parsed. It is
// small because the window is read anew after each large tensor.
const windowSize = 16 << 10

// A span is a run of bytes of the file.
type span struct{ off, n int64 }

// A Source reads a file forward and skips what is not needed yet.
type Source struct {
	r    io.ReaderAt
	size int64
	pos  int64  // of the next byte
	win  []byte // a part of the file
	at   int64  // where win begins
}

// NewSource reads the size bytes of r.
func NewSource(r io.ReaderAt, size int64) *Source { return &Source{r: r, size: size} }

// Size is the number of bytes of the file.
func (s *Source) Size() int64 { return s.size }

// Pos is the offset of the byte that is read next.
func (s *Source) Pos() int64 { return s.pos }

// Peek returns the following n bytes, or those that are left, and stays before
// them. They are valid until the next call.
func (s *Source) Peek(n int64) ([]byte, error) {
	pos := s.pos
	b, err := s.Next(min(n, s.left()))
	s.pos = pos
	return b, err
}

func (s *Source) left() int64 { return s.size - s.pos }

// Next returns the following n <= windowSize bytes, valid until the next call.
func (s *Source) Next(n int64) ([]byte, error) {
	if err := s.need(n); err != nil {
		return nil, err
	}
	if s.pos < s.at || s.pos+n > s.at+int64(len(s.win)) {
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
	i := s.pos - s.at
	s.pos += n
	return s.win[i : i+n], nil
}

func (s *Source) fill() error {
	if s.win == nil {
		s.win = make([]byte, min(windowSize, s.size))
	}
	s.win, s.at = s.win[:min(int64(cap(s.win)), s.left())], s.pos
	return s.Read(s.win, s.at)
}

// Skip passes over n bytes without reading them.
func (s *Source) Skip(n int64) (span, error) {
	if err := s.need(n); err != nil {
		return span{}, err
	}
	sp := span{s.pos, n}
	s.pos += n
	return sp, nil
}

func (s *Source) need(n int64) error {
	if n < 0 || n > s.left() {
		return &FormatError{s.pos, fmt.Sprintf("the file is cut short: %d bytes wanted, %d left", uint64(n), s.left())}
	}
	return nil
}

// Read fills p from off. It may be called by several goroutines at a time.
func (s *Source) Read(p []byte, off int64) error {
	n, err := s.r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return &FormatError{off + int64(n), "the file is cut short"}
	}
	return fmt.Errorf("offset %d: %w", off+int64(n), err)
}

// copy is read for one goroutine only: it looks at the window first.
func (s *Source) copy(p []byte, off int64) error {
	if i := off - s.at; i >= 0 && i+int64(len(p)) <= int64(len(s.win)) {
		copy(p, s.win[i:])
		return nil
	}
	return s.Read(p, off)
}
