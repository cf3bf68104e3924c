package check

import (
	"bytes"
	"slices"
)

// A sample chooses the clips of each class that are shown. The choice depends on
// their paths alone.
type sample struct {
	each    int // clips of a class
	classes map[int][]pick
}

type pick struct {
	key
	at place
}

// How much is shown, so that the page stays small.
const (
	maxShown      = 240 // pictures, where the classes are fewer
	maxEach       = 8
	maxShownClass = 1000
)

func newSample(classes int) *sample {
	return &sample{each: max(1, min(maxEach, maxShown/max(classes, 1))), classes: map[int][]pick{}}
}

// offer keeps the clips with the least keys. The clips of one path are one.
func (s *sample) offer(label int, k key, at place) {
	held, known := s.classes[label]
	if !known && len(s.classes) == maxShownClass {
		return
	}
	i, found := slices.BinarySearchFunc(held, k, func(p pick, k key) int { return bytes.Compare(p.key[:], k[:]) })
	if found || i == s.each {
		return
	}
	held = slices.Insert(held, i, pick{k, at})
	s.classes[label] = held[:min(len(held), s.each)]
}

// chosen are the places of all that is shown.
func (s *sample) chosen() map[place]bool {
	chosen := map[place]bool{}
	for _, picks := range s.classes {
		for _, p := range picks {
			chosen[p.at] = true
		}
	}
	return chosen
}
