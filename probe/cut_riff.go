package probe

import "encoding/binary"

// RIFF (Microsoft and IBM, 1991; OpenDML AVI 1.02 for files beyond 1 GiB): "RIFF",
// the size of what follows as 32 bits, little end first, "AVI "; then further ones
// with "AVIX". A size of 0 or of all ones was never filled in.

func isRIFF(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "AVI "
}

func (c *container) cutRIFF() string {
	at := int64(0)
	for range maxParts {
		head := c.bytes(at, 12)
		if len(head) < 8 || string(head[:4]) != "RIFF" {
			return "" // what follows is not ours
		}
		n := binary.LittleEndian.Uint32(head[4:])
		if n == 0 || n == 1<<32-1 {
			return ""
		}
		end := at + 8 + int64(n)
		if end > c.size {
			return c.short("RIFF chunk", end)
		}
		at = end + end&1 // chunks begin at even offsets
	}
	return ""
}
