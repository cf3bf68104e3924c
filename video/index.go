package video

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/frame"
)

// A stream is what the container says of the video stream.
type stream struct {
	container, codec string // FFmpeg's names
	width, height    int    // pixels, as stored
	rotation         int    // degrees clockwise
	known            bool   // size and pixel format are known
	interlaced       bool
	intraOnly        bool  // the codec has no pictures that refer to others
	delay            int   // pictures that the decoder holds back to reorder them
	claimed          int   // frames; 0 if it does not say
	duration         int64 // ticks; 0 if unknown
	timed            bool  // the file says how long it is
	rate             float64
	tick             float64 // seconds
	extra            []byte  // parameter sets, before the first packet
}

// A packet is one coded picture, as a rule.
type packet struct {
	pts, dts, pos, duration int64 // ticks, ticks, bytes, ticks; noTime if absent

	size, frame int32 // bytes; number of the frame that it becomes, -1: none
	discard     bool  // decoded, but cut away by an edit list
	corrupt     bool
	side        bool // brings new decoder parameters
	traits
}

func (p packet) same(q packet) bool {
	return p.pts == q.pts && p.dts == q.dts && p.pos == q.pos && p.size == q.size
}

// shown reports whether a frame comes of it, as far as one can see.
func (p packet) shown() bool { return p.size > 0 && !p.discard && p.more >= 0 }

func byTime(p, q packet) int { return cmp.Compare(p.pts, q.pts) }

// An index numbers the frames by their time stamps.
type index struct {
	packets []packet // in the order of decoding
	frames  int      // how many frames the packets promise
	clean   bool     // what follows holds
	order   []int    // frame -> position of its packet
	starts  []int    // positions, ascending from 0, where a fresh decoder may begin
}

func newIndex(s stream, packets []packet) index {
	x := index{packets: packets}
	ready := 0 // pictures: a decoder gives one a packet and keeps one for the next
	for i := range packets {
		p := &packets[i]
		p.frame = -1
		if p.size > 0 && !p.discard {
			ready += 1 + int(p.more)
		}
		if p.shown() {
			x.order = append(x.order, i)
		}
		if ready > 0 {
			x.frames++
			ready = min(ready-1, 1)
		}
	}
	if !trusted(s, packets) {
		x.order = nil
		return x
	}
	slices.SortFunc(x.order, func(i, j int) int { return byTime(packets[i], packets[j]) })
	for n, i := range x.order {
		packets[i].frame = int32(n)
	}
	x.clean = true
	keepTopLayer(packets)
	x.starts = starts(s, packets)
	return x
}

// trusted reports whether the time stamps number the frames: each packet has
// one of its own, and the decoder will bring the pictures into that order and
// lose none.
func trusted(s stream, packets []packet) bool {
	if !slices.ContainsFunc([]string{"mov,", "matroska,"}, func(c string) bool { return strings.HasPrefix(s.container, c) }) {
		return false
	}
	if len(packets) == 0 || !s.known || !packets[0].start {
		return false
	}
	for _, p := range packets {
		if p.odd || p.corrupt || p.side || p.size == 0 || p.pts == noTime || p.pts < packets[0].pts {
			return false
		}
	}
	return distinct(packets) && ordered(packets, s.delay) && trimmed(packets) && parted(packets)
}

// distinct: no two packets have the same time.
func distinct(packets []packet) bool {
	times := make([]int64, len(packets))
	for i, p := range packets {
		times[i] = p.pts
	}
	slices.Sort(times)
	return len(slices.Compact(times)) == len(packets)
}

// ordered: no picture is preceded in decoding by more than delay pictures that
// are shown after it, so that holding back delay pictures restores the order.
func ordered(packets []packet, delay int) bool {
	var latest []int64 // the delay+1 latest times so far, ascending
	for _, p := range packets {
		if len(latest) > delay && p.pts < latest[0] {
			return false
		}
		at, _ := slices.BinarySearch(latest, p.pts)
		latest = slices.Insert(latest, at, p.pts)
		if len(latest) > delay+1 {
			latest = latest[1:]
		}
	}
	return true
}

// trimmed: packets that are cut away lie before or after all others.
func trimmed(packets []packet) bool {
	first, last := int64(math.MaxInt64), noTime // of those that stay
	for _, p := range packets {
		if !p.discard {
			first, last = min(first, p.pts), max(last, p.pts)
		}
	}
	return !slices.ContainsFunc(packets, func(p packet) bool { return p.discard && first < p.pts && p.pts < last })
}

// parted: no picture before a start is shown after it or what follows it.
func parted(packets []packet) bool {
	earliest := make([]int64, len(packets)) // of this packet and all after it
	for i := len(packets) - 1; i >= 0; i-- {
		earliest[i] = packets[i].pts
		if i+1 < len(packets) {
			earliest[i] = min(earliest[i], earliest[i+1])
		}
	}
	latest := noTime
	for i, p := range packets {
		if p.start && latest >= earliest[i] {
			return false
		}
		latest = max(latest, p.pts)
	}
	return true
}

// keepTopLayer withdraws nonref from pictures below the highest temporal
// layer: in HEVC it speaks of the picture's own layer only.
func keepTopLayer(packets []packet) {
	top := slices.MaxFunc(packets, func(p, q packet) int { return cmp.Compare(p.layer, q.layer) }).layer
	for i := range packets {
		packets[i].nonref = packets[i].nonref && packets[i].layer == top
	}
}

// starts finds where decoding may begin as well as at position 0: pictures that
// end all references, precede in time whatever follows them, and bring the same
// parameter sets.
func starts(s stream, packets []packet) []int {
	out := []int{0}
	if s.codec == "mpeg4" { // its decoder carries time bases across key frames
		return out
	}
	for _, p := range packets {
		if p.sets != 0 && p.sets != packets[0].sets {
			return out
		}
	}
	earliest := packets[len(packets)-1].pts // of this packet and all after it
	for i := len(packets) - 1; i > 0; i-- {
		p := packets[i]
		earliest = min(earliest, p.pts)
		if p.start && p.pts == earliest && p.sets == packets[0].sets {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return out
}

// bytes is the size of the packets [from, to).
func (x *index) bytes(from, to int) int {
	n := 0
	for _, p := range x.packets[from:to] {
		n += int(p.size)
	}
	return n
}

// A span is packets [first, end) that are decoded together, from a start.
type span struct{ first, end int }

// spans lists what must be decoded for the frames that are keys of pictures.
func (x *index) spans(pictures map[int]*frame.RGB) []span {
	var need []int
	for i := range pictures {
		need = append(need, x.order[i])
	}
	slices.Sort(need)
	var out []span
	for _, pos := range need {
		k, found := slices.BinarySearch(x.starts, pos)
		if !found {
			k--
		}
		if n := len(out); n > 0 && x.starts[k] <= out[n-1].end {
			out[n-1].end = pos + 1
		} else {
			out = append(out, span{x.starts[k], pos + 1})
		}
	}
	return out
}
