package pdparams

// Protocol 2 has no bytes: Python writes them as text, each byte a character
// up to U+00FF, and text is UTF-8. So a byte below 0x80 takes one byte of the
// file, another one takes two: 0xC2 or 0xC3, then 0x80 to 0xBF.

// decodeLatin1 decodes src to dst as far as both reach. Unless src is the last
// part of the text, its last byte may be left for the next call. ok is false
// if a character is above U+00FF or no character at all.
func decodeLatin1(dst, src []byte, last bool) (used, made int, ok bool) {
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
	return used, made, bad == 0
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
	for _, c := range src {
		n += int64(c >> 7)
	}
	return n
}
