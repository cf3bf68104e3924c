package dataset

import (
	"bytes"
	"github.com/pptsn/pptsn/internal/textfile"
	"io"
)

// A lineScanner is lines for a stream: the same ends of lines, a buffer of
// fixed size.
type lineScanner struct {
	r        io.Reader
	buf      []byte // maxLine bytes and one more
	pos, end int    // what is not yet used of buf
	clean    int    // bytes from pos on that hold no end of a line
	err      error  // of r, once it gave one
	afterCR  bool   // \n now would belong to the line before
}

// begin skips the mark of UTF-8 and refuses that of UTF-16.
func (s *lineScanner) begin() error {
	for s.end < 2*len(textfile.Mark) && s.err == nil {
		s.fill()
	}
	skip, err := textfile.ByteOrder(string(s.buf[:min(s.end, 2*len(textfile.Mark))]))
	s.pos = skip
	return err
}

// next is the next line; of one that is too long only the first maxLine+1 bytes.
func (s *lineScanner) next() (string, error) {
	head, long := "", false
	for {
		if s.afterCR && s.pos < s.end {
			if s.buf[s.pos] == '\n' {
				s.pos++
			}
			s.afterCR = false
		}
		rest := s.buf[s.pos:s.end]
		if i := bytes.IndexAny(rest[s.clean:], "\r\n"); i >= 0 {
			i += s.clean
			s.pos, s.clean = s.pos+i+1, 0
			s.afterCR = rest[i] == '\r'
			if long {
				return head, nil
			}
			return string(rest[:i]), nil
		}
		s.clean = len(rest)
		switch {
		case len(rest) == len(s.buf): // too long: keep its beginning
			if !long {
				head, long = string(rest), true
			}
			s.use()
		case s.err == nil:
			s.fill()
		case s.err != io.EOF || len(rest) == 0 && !long:
			return "", s.err
		case long:
			s.use()
			return head, nil
		default:
			s.use()
			return string(rest), nil
		}
	}
}

// use counts all of the buffer as used.
func (s *lineScanner) use() { s.pos, s.clean = s.end, 0 }

// fill reads more behind what is not yet used.
func (s *lineScanner) fill() {
	if s.pos > 0 {
		s.pos, s.end = 0, copy(s.buf, s.buf[s.pos:s.end])
	}
	for range maxEmptyReads {
		var n int
		n, s.err = s.r.Read(s.buf[s.end:])
		s.end += n
		if n > 0 || s.err != nil {
			return
		}
	}
	s.err = io.ErrNoProgress
}

// maxEmptyReads is how often a reader may give nothing, as in package bufio.
const maxEmptyReads = 100
