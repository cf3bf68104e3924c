package probe

import (
	"encoding/binary"
	"slices"
)

// Boxes (ISO/IEC 14496-12, 4.2): the size as 32 bits, big end first, four letters;
// size 1: 64 bits of size follow; size 0: up to the end of the file.

// topBoxes are those that lie side by side in a file. Others may be anything
// that was put behind it.
var topBoxes = []string{
	"ftyp", "styp", "moov", "moof", "mdat", "mfra", "sidx", "ssix", "emsg", "prft", "pdin", "meta", "uuid",
	"free", "skip", "wide", "pnot",
}

func isBox(head []byte) bool { return len(head) >= 8 && slices.Contains(topBoxes, string(head[4:8])) }

func (c *container) cutBoxes() string {
	var media, header bool // pictures; what tells how they lie
	at := int64(0)
	for range maxParts {
		head := c.bytes(at, 16)
		if !isBox(head) {
			// After all that a file needs, a few bytes may as well be anything.
			if 0 < len(head) && len(head) < 8 && !(media && header) {
				return "ends within the head of a box"
			}
			break
		}
		kind := string(head[4:8])
		media = media || kind == "mdat"
		header = header || kind == "moov" || kind == "moof"
		end, ok := c.boxEnd(at, head)
		if !ok {
			return "ends within the head of its box " + kind
		}
		if end > c.size {
			return c.short("box "+kind, end)
		}
		if end < at+8 {
			return "" // nonsense
		}
		at = end
	}
	if at >= c.size && media && !header {
		return "ends before its box moov"
	}
	return ""
}

// boxEnd is where the box at that offset ends, at the most 1<<62; not ok if the
// file ends before that is said.
func (c *container) boxEnd(at int64, head []byte) (end int64, ok bool) {
	n := uint64(binary.BigEndian.Uint32(head))
	switch n {
	case 0:
		return c.size, true
	case 1:
		if len(head) < 16 {
			return 0, false
		}
		n = binary.BigEndian.Uint64(head[8:])
	}
	return at + int64(min(n, 1<<61)), true
}
