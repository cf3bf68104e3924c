package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	clips := func(answers string) []shot { // of clips a, b, ...: which are right
		var list []shot
		for i, c := range answers {
			s := shot{File: string(rune('a' + i)), Label: 1}
			if c == 'x' {
				s.TenCrop = 1
			}
			list = append(list, s)
		}
		return list
	}
	one := []*record{{Seed: 0, Clips: clips("xxx.")}, {Seed: 1, Clips: clips("x...")}, {Seed: 3, Clips: clips("xxxx")}}
	other := []*record{{Seed: 1, Clips: clips("..x.")}, {Seed: 0, Clips: clips("x..x")}}
	got := compare(one, byTenCrop, other, byTenCrop)
	// Seed 0: 3 of 4 against 2, b and c won, d lost. Seed 1: a won, c lost. Seed 3 has no pair.
	if want := (comparison{Differences: []float64{25, 0}, Won: 3, Lost: 2}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	ways := compareWays(one) // the centre crop is wrong throughout
	if want := (comparison{Differences: []float64{75, 25, 100}, Won: 8}); !reflect.DeepEqual(ways, want) {
		t.Errorf("%+v, want %+v", ways, want)
	}
}

func TestSplice(t *testing.T) {
	page := "before\n<!-- x: written by go run ./study table -->\nold\n<!-- x: end -->\nafter\n"
	got, err := splice(page, "x", "new\n")
	check(t, err)
	if want := strings.Replace(page, "old", "new", 1); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if _, err := splice(page, "y", "new\n"); err == nil {
		t.Error("a page without marks is no error")
	}
}
