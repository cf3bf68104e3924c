package check

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
)

// A key is what records are sorted by, a hash as a rule.
type key [16]byte

func hash(s string) key {
	sum := sha256.Sum256([]byte(s))
	return key(sum[:16])
}

// A record is a line of a list in what is sorted outside of memory.
type record struct {
	key
	at    place
	label int32
	also  key    // more that is known of it
	twin  place  // another line
	code  uint32 // what is said of it; see late.go
}

// A place is a line of a list.
type place struct {
	list uint32
	line uint32 // from 1
}

// before marks content of the last check, which is in no list.
const before = 1 << 16

// maxLists is how many lists there may be.
const maxLists = 64

// recordSize is that of a written record in bytes.
const recordSize = 16 + 8 + 4 + 16 + 8 + 4

func (r *record) append(b []byte) []byte {
	b = append(b, r.key[:]...)
	for _, v := range []uint32{r.at.list, r.at.line, uint32(r.label)} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = append(b, r.also[:]...)
	for _, v := range []uint32{r.twin.list, r.twin.line, r.code} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func readRecord(b []byte) (r record) {
	u32 := binary.BigEndian.Uint32
	copy(r.key[:], b)
	r.at, r.label = place{u32(b[16:]), u32(b[20:])}, int32(u32(b[24:]))
	copy(r.also[:], b[28:])
	r.twin, r.code = place{u32(b[44:]), u32(b[48:])}, u32(b[52:])
	return r
}

func (r *record) compare(o *record) int {
	return cmp.Or(bytes.Compare(r.key[:], o.key[:]), cmp.Compare(r.at.list, o.at.list), cmp.Compare(r.at.line, o.at.line), cmp.Compare(r.code, o.code))
}
