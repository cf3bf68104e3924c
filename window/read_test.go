package window_test

import (
	"fmt"
	"testing"

	"github.com/pptsn/pptsn/window"
)

// Pictures are held for the windows that overlap, however long the video is, and
// only those that a window shows to the network are converted and scaled.
func TestMemoryFollowsTheOverlap(t *testing.T) {
	const segments = 4 // of spec
	o := window.Options{Length: 4 * s, Stride: s}
	var held []int
	for _, seconds := range []int{10, 60} {
		chosen := map[int]bool{}
		f := open(t, draw(t, fmt.Sprintf("testsrc2=s=32x24:r=25:d=%d", seconds)))
		most, scaled, err := window.Read(t.Context(), f, spec, o, func(w window.Window) {
			for _, i := range w.Chosen {
				chosen[i] = true
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if scaled != len(chosen) {
			t.Errorf("%d s: %d pictures were scaled, %d are in windows", seconds, scaled, len(chosen))
		}
		held = append(held, most)
	}
	if held[0] != held[1] || held[1] < segments || held[1] > segments*4 { // four windows overlap
		t.Errorf("%d pictures were held of 10 s, %d of 60 s", held[0], held[1])
	}
}

// Windows before the first surprise are made once, in the first pass; none twice.
func TestSurprises(t *testing.T) {
	path := odd(t, "gen-corrupt-middle.mp4") // frame 47 is not where the packets say
	index := 0
	_, scaled, err := window.Read(t.Context(), open(t, path), spec, window.Options{Length: 400 * ms, Stride: 400 * ms}, func(w window.Window) {
		if w.Index != index {
			t.Errorf("window %d after %d", w.Index, index-1)
		}
		index++
	})
	// 5.24 s are 13 windows; one is begun twice.
	if err != nil || index != 13 || scaled > 4*14 {
		t.Errorf("%d windows, %d pictures scaled, error %v", index, scaled, err)
	}
}
