package probe

import (
	"bytes"
	"math/bits"
)

// EBML (RFC 8794) and Matroska (RFC 9559): an element is its ID, the size of what
// follows and that. Both are numbers of one to eight bytes, whose leading zero
// bits tell how many; a size of all ones is not known.
const (
	idEBML    = 0x1a45dfa3
	idSegment = 0x18538067
	idCluster = 0x1f43b675
)

// inSegment are the elements that a segment consists of, beside clusters.
var inSegment = map[uint64]string{
	0x114d9b74: "SeekHead", 0x1549a966: "Info", 0x1654ae6b: "Tracks", idCluster: "Cluster", 0x1c53bb6b: "Cues",
	0x1941a469: "Attachments", 0x1043a770: "Chapters", 0x1254c367: "Tags", 0xec: "Void", 0xbf: "CRC-32",
}

func isEBML(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1a, 0x45, 0xdf, 0xa3}) }

func (c *container) cutMatroska() string {
	e, ok := c.element(0)
	if !ok || !e.known {
		return ""
	}
	if e.end > c.size {
		return c.short("EBML head", e.end)
	}
	e, ok = c.element(e.end)
	switch {
	case !ok || e.id != idSegment:
		return ""
	case e.known:
		return c.short("segment", e.end)
	}
	// Written as a stream: its parts may know their sizes.
	at := e.body
	for range maxParts {
		e, ok = c.element(at)
		name := inSegment[e.id]
		if !ok || !e.known || name == "" {
			return ""
		}
		if e.end > c.size {
			return c.short(name, e.end)
		}
		at = e.end
	}
	return ""
}

type element struct {
	id        uint64 // with its length bits
	body, end int64  // offsets in the file
	known     bool   // end is
}

// element reads the head of the one at an offset.
func (c *container) element(at int64) (e element, ok bool) {
	head := c.bytes(at, 12)
	id, n := vint(head, 4)
	if n == 0 {
		return e, false
	}
	size, m := vint(head[n:], 8)
	if m == 0 {
		return e, false
	}
	size &= 1<<(7*m) - 1
	e = element{id: id, body: at + int64(n+m), known: size != 1<<(7*m)-1}
	e.end = e.body + int64(size)
	return e, true
}

// vint is a number with its length bits, and its length; 0 if there is none.
func vint(b []byte, most int) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	n = bits.LeadingZeros8(b[0]) + 1
	if n > min(most, len(b)) {
		return 0, 0
	}
	for _, x := range b[:n] {
		v = v<<8 | uint64(x)
	}
	return v, n
}
