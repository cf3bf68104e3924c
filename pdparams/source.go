package pdparams

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

// A source reads a file forward and skips what is not needed yet.
type source struct {
	r    io.ReaderAt
	size int64
	pos  int64  // of the next byte
	win  []byte // a part of the file
	at   int64  // where win begins
}

func (s *source) left() int64 { return s.size - s.pos }

// next returns the following n <= windowSize bytes, valid until the next call.
func (s *source) next(n int64) ([]byte, error) {
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

func (s *source) fill() error {
	if s.win == nil {
		s.win = make([]byte, min(windowSize, s.size))
	}
	s.win, s.at = s.win[:min(int64(cap(s.win)), s.left())], s.pos
	return s.read(s.win, s.at)
}

// skip passes over n bytes without reading them.
func (s *source) skip(n int64) (span, error) {
	if err := s.need(n); err != nil {
		return span{}, err
	}
	sp := span{s.pos, n}
	s.pos += n
	return sp, nil
}

func (s *source) need(n int64) error {
	if n < 0 || n > s.left() {
		return &FormatError{s.pos, fmt.Sprintf("the file is cut short: %d bytes wanted, %d left", uint64(n), s.left())}
	}
	return nil
}

// read fills p from off. It may be called by several goroutines at a time.
func (s *source) read(p []byte, off int64) error {
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
func (s *source) copy(p []byte, off int64) error {
	if i := off - s.at; i >= 0 && i+int64(len(p)) <= int64(len(s.win)) {
		copy(p, s.win[i:])
		return nil
	}
	return s.read(p, off)
}
