package video

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
)

// traits is what the first bytes of a coded picture say about it.
type traits struct {
	start  bool   // decoding may begin here: nothing that follows refers to anything before
	nonref bool   // no picture of its temporal layer or a lower one refers to it
	more   int8   // pictures to be shown beyond the first; -1: not even that
	odd    bool   // broken, or of a kind that is not looked into
	layer  uint8  // temporal layer
	sets   uint64 // fingerprint of the parameter sets that it brings; 0: none
}

// lookFor returns the function that reads a packet's traits, nil for codecs
// whose packets all count as odd.
func lookFor(s stream) func(data []byte) traits {
	switch {
	case s.codec == "h264" && len(s.extra) > 6 && s.extra[0] == 1: // avcC, ISO/IEC 14496-15, 5.3.3.1
		return lookNAL(int(s.extra[4]&3)+1, h264Unit)
	case s.codec == "hevc" && len(s.extra) > 22 && s.extra[0] == 1: // hvcC, 8.3.3.1
		return lookNAL(int(s.extra[21]&3)+1, hevcUnit)
	case s.codec == "mpeg4":
		return lookMPEG4((s.width + 15) / 16 * ((s.height + 15) / 16))
	case s.codec == "vp8":
		return lookVP8
	case s.codec == "vp9":
		return lookVP9
	case s.codec == "av1":
		return lookAV1
	case s.intraOnly:
		return func([]byte) traits { return traits{start: true} }
	}
	return func([]byte) traits { return traits{odd: true} }
}

// A unitKind is what a NAL unit is, as far as it matters here.
type unitKind int

const (
	unitOther unitKind = iota
	unitStart          // slice of a picture that resets the decoder
	unitRef            // slice of a picture that others may refer to
	unitNonref
	unitSet // parameter set
	unitOdd
)

// lookNAL reads a packet of NAL units, each after its size in sizeLen bytes.
func lookNAL(sizeLen int, kind func(unit []byte) (unitKind, uint8)) func([]byte) traits {
	return func(data []byte) traits {
		t := traits{start: true, nonref: true}
		slices, sets := 0, fnv.New64a()
		for len(data) > 0 {
			if len(data) < sizeLen {
				return traits{odd: true}
			}
			n := 0
			for _, b := range data[:sizeLen] {
				n = n<<8 | int(b)
			}
			data = data[sizeLen:]
			if n < 2 || n > len(data) {
				return traits{odd: true}
			}
			k, layer := kind(data[:n])
			switch k {
			case unitStart, unitRef, unitNonref:
				slices++
				t.start = t.start && k == unitStart
				t.nonref = t.nonref && k == unitNonref
				t.layer = max(t.layer, layer)
			case unitSet:
				sets.Write(data[:n])
				t.sets = sets.Sum64()
			case unitOdd:
				return traits{odd: true}
			}
			data = data[n:]
		}
		if slices == 0 {
			return traits{odd: true}
		}
		return t
	}
}

// h264Unit follows ITU-T H.264, 7.3.1 and table 7-1.
func h264Unit(u []byte) (unitKind, uint8) {
	switch u[0] & 31 {
	case 5:
		return unitStart, 0
	case 1:
		if !saneSlice(u[1:]) {
			return unitOdd, 0
		}
		if u[0]>>5&3 == 0 {
			return unitNonref, 0
		}
		return unitRef, 0
	case 2, 3, 4: // partitioned slices
		return unitOdd, 0
	case 6:
		return messageKind(u[1:]), 0
	case 7, 8, 13:
		return unitSet, 0
	}
	return unitOther, 0
}

// saneSlice checks the first fields of an H.264 slice header (7.3.3): a slice
// type up to 9 and a parameter set number up to 255.
func saneSlice(b []byte) bool {
	r := bitReader{b: b}
	r.ue() // first_mb_in_slice
	return r.ue() <= 9 && r.ue() <= 255 && !r.short
}

// hevcUnit follows ITU-T H.265, 7.3.1.2 and table 7-1.
func hevcUnit(u []byte) (unitKind, uint8) {
	typ, layer := u[0]>>1&63, u[1]&7-1
	switch {
	case u[0]&1 != 0 || u[1]>>3 != 0: // of another view or quality layer
		return unitOther, 0
	case typ == 19 || typ == 20: // IDR
		return unitStart, layer
	case typ < 16 && typ%2 == 0: // the odd ones are referred to
		return unitNonref, layer
	case typ < 32:
		return unitRef, layer
	case typ <= 34: // VPS, SPS, PPS
		return unitSet, 0
	case typ == 39: // prefix SEI
		return messageKind(u[2:]), 0
	}
	return unitOther, 0
}

// messageKind reports SEI messages that a decoder carries from a picture to
// later ones and that change pixels: film grain (H.274).
func messageKind(b []byte) unitKind {
	const filmGrain = 19
	for len(b) > 2 {
		typ, n := 0, 0
		for _, v := range []*int{&typ, &n} {
			for len(b) > 0 && b[0] == 255 {
				*v += 255
				b = b[1:]
			}
			if len(b) == 0 {
				return unitOther
			}
			*v += int(b[0])
			b = b[1:]
		}
		if typ == filmGrain {
			return unitOdd
		}
		b = b[min(n, len(b)):]
	}
	return unitOther
}

// lookMPEG4 follows ISO/IEC 14496-2, 6.2.5: one video object plane (VOP) a
// packet. AVI files also hold two in one packet, and P-VOPs that only say "no
// change": they have less than the bit for each macroblock that coded ones need.
func lookMPEG4(macroblocks int) func([]byte) traits {
	return func(data []byte) traits {
		planes := bytes.Split(data, []byte{0, 0, 1, 0xb6})[1:]
		t := traits{odd: len(planes) != 1, more: -1}
		for _, p := range planes {
			if len(p) == 0 {
				continue
			}
			kind := p[0] >> 6 // I, P, B, S
			if kind == 1 && 8*len(p) < macroblocks {
				continue
			}
			t.more++
			t.start, t.nonref = kind == 0, kind == 2
		}
		return t
	}
}

// lookVP8 follows RFC 6386, 9.1.
func lookVP8(data []byte) traits {
	shown := int8(data[0] >> 4 & 1)
	return traits{start: data[0]&1 == 0, more: shown - 1}
}

// lookVP9 follows the VP9 bitstream specification 0.6, 6.2.
func lookVP9(data []byte) traits {
	b := data[0] << 2 // after the frame marker
	if b&0xc0 == 0xc0 {
		b <<= 1 // profile 3 has a reserved bit
	}
	b <<= 2 // show_existing_frame, frame_type, show_frame
	return traits{start: b>>6 == 0 && b>>5&1 == 1, odd: data[0]>>6 != 2}
}

// lookAV1 follows the AV1 bitstream specification, 5.3: a shown key frame after
// a sequence header is a random access point.
func lookAV1(data []byte) traits {
	const sequence, frameHeader, wholeFrame = 1, 3, 6
	var t traits
	sets := fnv.New64a()
	for len(data) > 0 {
		typ, head := data[0]>>3&15, 1+int(data[0]>>2&1)
		if data[0]>>1&1 == 0 || len(data) < head {
			return traits{odd: true} // without a size
		}
		n, used := binary.Uvarint(data[head:])
		if used <= 0 || n > uint64(len(data)-head-used) {
			return traits{odd: true}
		}
		unit := data[head+used:][:n]
		data = data[head+used+int(n):]
		switch {
		case typ == sequence:
			sets.Write(unit)
			t.sets = sets.Sum64()
		case (typ == frameHeader || typ == wholeFrame) && n > 0:
			t.start = t.sets != 0 && unit[0]>>4 == 1 // not show_existing_frame, KEY_FRAME, show_frame
			return t
		}
	}
	t.odd = true
	return t
}

// A bitReader reads bits from the most significant on.
type bitReader struct {
	b     []byte
	at    int  // bits
	short bool // read past the end
}

func (r *bitReader) bit() uint32 {
	if r.at/8 >= len(r.b) {
		r.short = true
		return 1
	}
	v := r.b[r.at/8] >> (7 - r.at%8) & 1
	r.at++
	return uint32(v)
}

// ue reads an Exp-Golomb number (H.264, 9.1) of up to 32 bits.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.bit() == 0 && zeros < 32 {
		zeros++
	}
	v := uint32(1)
	for range zeros {
		v = v<<1 | r.bit()
	}
	return v - 1
}
