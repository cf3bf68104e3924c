package check

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
)

// temporary opens a file in a folder that is gone when it is closed, however the
// program ends.
func temporary(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".check-*.tmp")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// A spool is a temporary file of JSON lines, such as the findings of one list in
// the order of its lines.
type spool struct {
	f   *os.File
	buf *bufio.Writer
	enc *json.Encoder
}

func newSpool(dir string) (*spool, error) {
	f, err := temporary(dir)
	if err != nil {
		return nil, err
	}
	s := &spool{f: f, buf: bufio.NewWriterSize(f, 256<<10)}
	s.enc = json.NewEncoder(s.buf)
	s.enc.SetEscapeHTML(false)
	return s, nil
}

func (s *spool) add(v any) error { return s.enc.Encode(v) }

// addText adds a line as it is.
func (s *spool) addText(line string) error {
	_, err := s.buf.WriteString(line + "\n")
	return err
}

func (s *spool) copyTo(w io.Writer) error {
	if s == nil {
		return nil
	}
	r, err := s.rewind()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

func (s *spool) rewind() (io.Reader, error) {
	if err := s.buf.Flush(); err != nil {
		return nil, err
	}
	_, err := s.f.Seek(0, io.SeekStart)
	return s.f, err
}

// close may be called for none.
func (s *spool) close() error {
	if s == nil {
		return nil
	}
	return s.f.Close()
}

// A cursor reads a spool of findings line by line of the list.
type cursor struct {
	dec  *json.Decoder
	next Finding
	err  error // of reading next
}

// cursor begins to read; nothing is added any more. A nil spool is empty.
func (s *spool) cursor() (*cursor, error) {
	if s == nil {
		return &cursor{err: io.EOF}, nil
	}
	r, err := s.rewind()
	if err != nil {
		return nil, err
	}
	c := &cursor{dec: json.NewDecoder(bufio.NewReaderSize(r, 256<<10))}
	c.read()
	return c, nil
}

func (c *cursor) read() {
	c.next = Finding{}
	c.err = c.dec.Decode(&c.next)
}

// take appends what is said of a line; lines must ascend.
func (c *cursor) take(to []Finding, line int) ([]Finding, error) {
	for c.err == nil && c.next.Line <= line {
		if c.next.Line == line {
			to = append(to, c.next)
		}
		c.read()
	}
	if c.err != nil && !errors.Is(c.err, io.EOF) {
		return to, c.err
	}
	return to, nil
}
