package pickle

import (
	"encoding/binary"
	"math/bits"
)

// Protocol 2 has no bytes: Python writes them as text, each byte a character
// up to U+00FF, and text is UTF-8. So a byte below 0x80 takes one byte of the
// file, another one takes two: 0xC2 or 0xC3, then 0x80 to 0xBF.

// each is a word with the same byte eight times.
const each = 0x0101010101010101

// decodeLatin1 decodes src to dst as far as both reach. Unless src is the last
// part of the text, its last byte may be left for the next call. ok is false
// if a character is above U+00FF or no character at all.
func decodeLatin1(dst, src []byte, last bool) (used, made int, ok bool) {
	used, made, ok = decodeWords(dst, src)
	var bad byte
	for made < len(dst) && used+1 < len(src) {
		// Without branches: half the bytes of weights are above 0x7F, at random.
		c, next := src[used], src[used+1]
		pair := -(c >> 7) // 0xFF or 0
		dst[made] = c&^pair | (c<<6|next&0x3f)&pair
		bad |= pair & ((c^0xc2)&0xfe | (next^0x80)&0xc0)
		used += 1 + int(c>>7)
		made++
	}
	if last && made < len(dst) && used+1 == len(src) {
		dst[made] = src[used]
		bad |= src[used] & 0x80
		used, made = used+1, made+1
	}
	return used, made, ok && bad == 0
}

// decodeWords is decodeLatin1 for eight bytes of src at a time, where so many
// are left on both sides. It makes a byte of each byte of src that does not
// continue a character.
func decodeWords(dst, src []byte) (used, made int, ok bool) {
	var bad, lead uint64
	if len(src) > 0 && src[0]&0xc0 == 0x80 {
		return 0, 0, false
	}
	for used+9 <= len(src) && made+8 <= len(dst) {
		w, next := binary.LittleEndian.Uint64(src[used:]), binary.LittleEndian.Uint64(src[used+1:])
		out := (*[8]byte)(dst[made:])
		used += 8
		high := w & (each << 7)
		lead = high & (w << 1)                            // bit 7 of each byte that begins a pair
		bad |= lead ^ (next & (each << 7) &^ (next << 1)) // a pair continues, nothing else does
		if high == 0 {
			binary.LittleEndian.PutUint64(out[:], w)
			made += 8
			continue
		}
		pair := lead >> 7 * 0xff
		bad |= pair & (w ^ each*0xc2) & (each * 0xfe)
		v := w&^pair | (w&(each*3)<<6|next&(each*0x3f))&pair
		keep := (high&^lead)>>7 ^ each // 1 in each byte that is not a continuation
		at := keep * each << 8         // in each byte, how many are kept before it
		for range 8 {
			out[at&7] = byte(v) // one that is not kept is overwritten by the next
			v, at = v>>8, at>>8
		}
		made += bits.OnesCount64(keep)
	}
	return used + int(lead>>63), made, bad == 0
}

// encodeLatin1 appends the bytes of src to dst as UTF-8 text.
func encodeLatin1(dst, src []byte) []byte {
	n := len(dst)
	dst = append(dst, make([]byte, 2*len(src))...)
	for _, c := range src {
		high := c >> 7
		pair := -high
		dst[n] = c&^pair | (0xc0|c>>6)&pair
		dst[n+1] = 0x80 | c&0x3f
		n += 1 + int(high)
	}
	return dst[:n]
}

// latin1Len is the length of src as UTF-8 text.
func latin1Len(src []byte) int64 {
	n := int64(len(src))
	for ; len(src) >= 8; src = src[8:] {
		n += int64(bits.OnesCount64(binary.LittleEndian.Uint64(src) & (each << 7)))
	}
	for _, c := range src {
		n += int64(c >> 7)
	}
	return n
}
