package onednn

import (
	"cmp"
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// A buffer is memory of a program: an input or output, or a part of its arena.
type buffer struct {
	slot        int // of an input or output, else -1
	size        int // bytes
	offset      int // in the arena, or within another
	within      *buffer
	first, last int // steps that use it
	values      []*graph.Value
}

// alignment of buffers, in bytes: no two share a cache line.
const alignment = 64

// arrange gives each buffer that is not within another a place in the arena, so
// that those used at the same time do not overlap, and returns the arena's size.
// Larger ones are placed first, each as low as it goes.
func arrange(buffers []*buffer) int {
	bySize := slices.DeleteFunc(slices.Clone(buffers), func(b *buffer) bool { return b.within != nil })
	slices.SortStableFunc(bySize, func(a, b *buffer) int { return cmp.Compare(b.size, a.size) })
	var placed []*buffer // by offset
	total := 0
	for _, b := range bySize {
		b.offset = 0
		for _, p := range placed {
			together := b.first <= p.last && p.first <= b.last
			if together && b.offset < p.end() && p.offset < b.end() {
				b.offset = p.end()
			}
		}
		placed = append(placed, b)
		slices.SortFunc(placed, func(a, b *buffer) int { return cmp.Compare(a.offset, b.offset) })
		total = max(total, b.end())
	}
	return total
}

// end is the first aligned offset behind the buffer.
func (b *buffer) end() int { return b.offset + (b.size+alignment-1)/alignment*alignment }
