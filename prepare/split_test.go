package prepare

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// singles are items of one clip each.
func singles(perClass ...int) []splitItem {
	var items []splitItem
	for label, n := range perClass {
		for i := range n {
			items = append(items, splitItem{key: fmt.Sprintf("%d/%d", label, i), size: 1, classes: []classCount{{label, 1}}})
		}
	}
	return items
}

// counts are clips by class and side.
func counts(items []splitItem, side []int, classes int) [][sides]int {
	out := make([][sides]int, classes)
	for i, it := range items {
		for _, c := range it.classes {
			out[c.label][side[i]] += c.clips
		}
	}
	return out
}

func TestSplitSingles(t *testing.T) {
	for _, tc := range []struct {
		clips  int
		shares [sides]float64
		want   [sides]int
	}{
		{10, [sides]float64{0.8, 0.2, 0}, [sides]int{8, 2, 0}},
		{100, [sides]float64{0.7, 0.2, 0.1}, [sides]int{70, 20, 10}},
		{13, [sides]float64{0.8, 0.2, 0}, [sides]int{10, 3, 0}},
		{12, [sides]float64{0.8, 0.2, 0}, [sides]int{10, 2, 0}},
		{7, [sides]float64{1, 0, 0}, [sides]int{7, 0, 0}},
		{1, [sides]float64{0.8, 0.2, 0}, [sides]int{1, 0, 0}},
		{2, [sides]float64{0.9, 0.1, 0}, [sides]int{1, 1, 0}}, // one on each side, if there are enough
		{3, [sides]float64{0.9, 0.05, 0.05}, [sides]int{1, 1, 1}},
		{2, [sides]float64{0.8, 0.1, 0.1}, [sides]int{1, 1, 0}},
	} {
		items := singles(tc.clips, tc.clips)
		for c, got := range counts(items, split(items, 2, tc.shares, 0), 2) {
			if got != tc.want {
				t.Errorf("%d clips, shares %v, class %d: %v, want %v", tc.clips, tc.shares, c, got, tc.want)
			}
		}
	}
}

// The order of the items changes nothing; the seed changes much.
func TestSplitDeterministic(t *testing.T) {
	items := singles(40, 30, 20)
	sideOf := func(items []splitItem, seed uint64) string {
		side := split(items, 3, [sides]float64{0.6, 0.3, 0.1}, seed)
		order := make([]int, len(items))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(items[a].key, items[b].key) })
		out := ""
		for _, i := range order {
			out += fmt.Sprint(side[i])
		}
		return out
	}
	want := sideOf(items, 1)
	for range 3 {
		rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		if got := sideOf(items, 1); got != want {
			t.Errorf("%s in another order, want %s", got, want)
		}
	}
	if sideOf(items, 2) == want {
		t.Error("another seed splits alike")
	}
}

// Groups of several clips and classes: the sides come within one group's size of
// what is wanted, and no class lacks a side.
func TestSplitGroups(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for trial := range 20 {
		var items []splitItem
		total := make([]int, 5)
		for g := range 60 {
			it := splitItem{key: fmt.Sprint(g)}
			for label := range total {
				if n := rng.IntN(6) - 2; n > 0 {
					it.classes = append(it.classes, classCount{label, n})
					it.size += n
					total[label] += n
				}
			}
			if it.size > 0 {
				items = append(items, it)
			}
		}
		for label, got := range counts(items, split(items, 5, [sides]float64{0.7, 0.2, 0.1}, uint64(trial)), 5) {
			for side, share := range []float64{0.7, 0.2, 0.1} {
				if off := math.Abs(float64(got[side]) - share*float64(total[label])); off > 3 || got[side] == 0 {
					t.Errorf("trial %d, class %d: %v of %d clips, want %v of them in %s", trial, label, got, total[label], share, sideNames[side])
				}
			}
		}
	}
}

func TestNatural(t *testing.T) {
	want := []string{"", "1", "2", "10", "A", "a", "a2b", "a2c", "a010", "a10", "b1x2", "b1x10", "射"}
	got := slices.Clone(want)
	slices.Reverse(got)
	if slices.SortFunc(got, natural); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
