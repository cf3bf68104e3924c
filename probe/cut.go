package probe

import (
	"fmt"
	"io"
)

// Cut says what in the container tells that bytes are missing at the end, such
// as "ends 1200 bytes before its box mdat does"; "" where nothing does.
//
// Only sizes that the container writes down are compared with the file's, and
// no sample is looked for: RIFF chunks of AVI, boxes of MP4 and QuickTime, elements
// of Matroska and WebM. The other containers do not say how long they are, and
// a cut between two parts of a file that was written as a stream shows nowhere.
func Cut(path string) (string, error) {
	f, info, err := open(path)
	if err != nil {
		return "", fmt.Errorf("probe: %w", err)
	}
	defer f.Close()
	said, err := cut(f, info.Size())
	if err != nil {
		return "", fmt.Errorf("probe: %s: %w", path, err)
	}
	return said, nil
}

// maxParts bounds how many parts of a file are gone through: the fragments of
// some days.
const maxParts = 1 << 16

func cut(r io.ReaderAt, size int64) (string, error) {
	c := container{r: r, size: size}
	head := c.bytes(0, 16)
	var said string
	switch {
	case isRIFF(head):
		said = c.cutRIFF()
	case isBox(head):
		said = c.cutBoxes()
	case isEBML(head):
		said = c.cutMatroska()
	}
	return said, c.err
}

// A container is a file in which sizes are looked up.
type container struct {
	r    io.ReaderAt
	size int64
	err  error // the first of reading
}

// bytes are n bytes at an offset, fewer at the end of the file.
func (c *container) bytes(at int64, n int) []byte {
	n = int(min(int64(n), max(c.size-at, 0)))
	b := make([]byte, n)
	if c.err != nil || n == 0 {
		return nil
	}
	k, err := c.r.ReadAt(b, at)
	if k < n {
		c.err = err
		return nil
	}
	return b
}

// short says how much is missing of a part that should end there; "" if nothing.
func (c *container) short(part string, end int64) string {
	switch missing := end - c.size; {
	case missing <= 0:
		return ""
	case missing == 1:
		return fmt.Sprintf("ends one byte before its %s does", part)
	default:
		return fmt.Sprintf("ends %d bytes before its %s does", missing, part)
	}
}
