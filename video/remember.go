package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// An Index is what Open found out by reading through a file: its packets. Kept
// by the caller, it spares the next Open the reading, see Options.Index.
type Index struct {
	container, codec string
	width, height    int
	packets          []packet
}

// Index is the index of the file, as for Options.Index.
func (f *File) Index() *Index {
	return &Index{f.s.container, f.s.codec, f.s.width, f.s.height, f.x.packets}
}

// fits says that it may be one of such a stream.
func (x *Index) fits(s stream) bool {
	return x.container == s.container && x.codec == s.codec && x.width == s.width && x.height == s.height && len(x.packets) > 0
}

// indexMark begins an index as bytes; the digit is the version of its format.
const indexMark = "pptsn index 1\n"

// MarshalBinary gives it as bytes: for each packet differences to the one before,
// as varints, about ten bytes; a checksum at the end.
func (x *Index) MarshalBinary() ([]byte, error) {
	b := []byte(indexMark)
	for _, s := range []string{x.container, x.codec} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	for _, n := range []int{x.width, x.height, len(x.packets)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	var last packet
	for _, p := range x.packets {
		b = append(b, p.flags(), byte(p.more), p.layer)
		b = binary.AppendVarint(b, p.pts-last.pts) // wraps around with noTime, there and back
		b = binary.AppendVarint(b, p.dts-last.dts)
		b = binary.AppendVarint(b, p.pos-last.pos)
		b = binary.AppendVarint(b, p.duration-last.duration)
		b = binary.AppendUvarint(b, uint64(p.size))
		b = binary.AppendUvarint(b, p.sets)
		last = p
	}
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b)), nil
}

// flags are its truth values as bits.
func (p packet) flags() (b byte) {
	for i, v := range []bool{p.discard, p.corrupt, p.side, p.start, p.nonref, p.odd} {
		if v {
			b |= 1 << i
		}
	}
	return b
}

func (p *packet) setFlags(b byte) {
	for i, v := range []*bool{&p.discard, &p.corrupt, &p.side, &p.start, &p.nonref, &p.odd} {
		*v = b>>i&1 != 0
	}
}

var errIndex = errors.New("video: these bytes are no index of a file")

// UnmarshalBinary reads what MarshalBinary gave.
func (x *Index) UnmarshalBinary(b []byte) error {
	end := len(b) - 4
	if !bytes.HasPrefix(b, []byte(indexMark)) || end < len(indexMark) {
		return errIndex
	}
	if crc32.ChecksumIEEE(b[:end]) != binary.LittleEndian.Uint32(b[end:]) {
		return fmt.Errorf("%w: wrong checksum", errIndex)
	}
	r := indexReader{b: b[len(indexMark):end]}
	got := Index{container: r.text(), codec: r.text(), width: r.number(math.MaxInt32), height: r.number(math.MaxInt32)}
	n := r.number(min(maxPackets, len(r.b)/9)) // a packet has at least nine bytes
	got.packets = make([]packet, n)
	var last packet
	for i := range got.packets {
		p := &got.packets[i]
		p.setFlags(r.byte())
		p.more, p.layer = int8(r.byte()), r.byte()
		p.pts, p.dts, p.pos, p.duration = last.pts+r.varint(), last.dts+r.varint(), last.pos+r.varint(), last.duration+r.varint()
		p.size = int32(r.number(math.MaxInt32))
		p.sets = r.uvarint()
		last = *p
	}
	if r.bad || len(r.b) > 0 {
		return errIndex
	}
	*x = got
	return nil
}

// An indexReader takes values from bytes; bad once they did not fit.
type indexReader struct {
	b   []byte
	bad bool
}

func (r *indexReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	return take(r, v, n)
}

func (r *indexReader) varint() int64 {
	v, n := binary.Varint(r.b)
	return take(r, v, n)
}

// take goes on behind a value of n bytes.
func take[T any](r *indexReader, v T, n int) T {
	if r.bad = r.bad || n <= 0; r.bad {
		var zero T
		r.b = nil
		return zero
	}
	r.b = r.b[n:]
	return v
}

// number is one from 0 to most.
func (r *indexReader) number(most int) int {
	v := r.uvarint()
	if v > uint64(most) {
		r.bad = true
		return 0
	}
	return int(v)
}

func (r *indexReader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	return take(r, r.b[0], 1)
}

func (r *indexReader) text() string {
	n := r.number(len(r.b))
	if n == 0 || n > len(r.b) {
		r.bad = true
		return ""
	}
	return string(take(r, r.b[:n], n))
}
