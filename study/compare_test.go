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

func TestTables(t *testing.T) {
	run := func(right, of int) *record { // the first clips are right both ways
		r := &record{Parameters: 11_190_216, GFLOPs: 0.774}
		for i := range of {
			s := shot{File: string(rune('a' + i)), Label: 1}
			if i < right {
				s.Center, s.TenCrop = 1, 1
			}
			r.Clips = append(r.Clips, s)
		}
		return r
	}
	second := func(r *record) *record { r.Seed = 1; return r }
	rs := results{"tsn": {run(2, 10), second(run(3, 10))}, "pptsn": {run(4, 10), second(run(7, 10))}}
	// Differences of 20 and 40 points: 30, deviation 14.14, 12.706 x 14.14 / sqrt 2 = 127.06. Six clips won: 2 / 2^6.
	for _, want := range []string{
		"| TSN | 11.19 | 0.77 | 2 | 25.0 ± 7.1 | 25.0 ± 7.1 | | | |\n",
		"| PP-TSN | 11.19 | 0.77 | 2 | 55.0 ± 21.2 | 55.0 ± 21.2 | +30.0 [-97.1, +157.1] | 6 : 0 | 0.031 |\n",
	} {
		if got := rs.variantTable(); !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	want := "| PP-TSN | TSN | +30.0 [-97.1, +157.1] | 6 : 0 | 0.031 | +30.0 [-97.1, +157.1] | 6 : 0 | 0.031 |\n"
	if got := rs.comparisonTable(); !strings.Contains(got, want) {
		t.Errorf("%s\nlacks %s", got, want)
	}
}
