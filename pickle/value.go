package pickle

import (
	"iter"
	"slices"
)

// A Tuple is a Python tuple.
type Tuple []any

// A Dict is a Python dict: it keeps the order in which keys came. The zero
// value is empty and ready to use. Keys are strings, int64, float64, bool or
// nil; a str key of the file is a Go string.
type Dict struct {
	items []item
	index map[any]int // position in items; made when a scan becomes slow
}

type item struct{ key, value any }

// scanLimit is the size up to which a scan beats a map, in memory above all.
const scanLimit = 8

// Len is the number of keys.
func (d *Dict) Len() int { return len(d.items) }

// Get returns the value of a key.
func (d *Dict) Get(key any) (any, bool) {
	if i := d.find(key); i >= 0 {
		return d.items[i].value, true
	}
	return nil, false
}

// Set gives a key a value. A new key goes to the end, a known one keeps its
// place.
func (d *Dict) Set(key, value any) {
	if i := d.find(key); i >= 0 {
		d.items[i].value = value
		return
	}
	d.items = append(d.items, item{key, value})
	if d.index != nil {
		d.index[key] = len(d.items) - 1
	} else if len(d.items) > scanLimit {
		d.index = make(map[any]int, 2*len(d.items))
		for i, it := range d.items {
			d.index[it.key] = i
		}
	}
}

// All returns keys and values in order.
func (d *Dict) All() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		for _, it := range d.items {
			if !yield(it.key, it.value) {
				return
			}
		}
	}
}

func (d *Dict) find(key any) int {
	if d.index != nil {
		if i, ok := d.index[key]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(d.items, func(it item) bool { return it.key == key })
}
