package prepare

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// The sides that clips are dealt to.
const (
	Train = iota
	Val
	Test
	sides
)

// sideNames are the sides in lists, tables and CSV files.
var sideNames = [sides]string{"train", "val", "test"}

// A splitItem is clips that stay together.
type splitItem struct {
	key     string       // unique
	classes []classCount // one for each class in it, by label
	size    int          // clips of all classes
}

type classCount struct{ label, clips int }

// A dealer deals items to sides so that each class comes as near as it can to the
// shares that are wanted.
//
// The cost of a split is the sum over sides and classes of (clips - wanted)² /
// clips of the class. Items go, largest first, where they raise it least (as in
// K. Sechidis et al., On the Stratification of Multi-Label Data, 2011), and are
// then moved while that lowers it; then a class that is missing on a side costs 1
// more.
type dealer struct {
	wanted, have [sides][]float64 // [class]
	clips        []float64        // [class]
	open         []int            // sides that have a share
	fill         float64          // what it is worth that a class is on a side at all
}

// split returns the side of each item: a function of the items' keys and the
// seed, not of their order. Shares are those of Train, Val, Test and add up to 1.
func split(items []splitItem, classes int, shares [sides]float64, seed uint64) []int {
	d := newDealer(items, classes, shares)
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(items[a].key, items[b].key) })
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	slices.SortStableFunc(order, func(a, b int) int { return items[b].size - items[a].size })
	side := make([]int, len(items))
	for _, i := range order {
		side[i] = d.best(items[i])
		d.move(items[i], side[i], 1)
	}
	d.improve(items, order, side)
	return side
}

func newDealer(items []splitItem, classes int, shares [sides]float64) *dealer {
	d := &dealer{clips: make([]float64, classes)}
	groups := make([]int, classes)
	for _, it := range items {
		for _, n := range it.classes {
			d.clips[n.label] += float64(n.clips)
			groups[n.label]++
		}
	}
	for s := range sides {
		d.wanted[s], d.have[s] = make([]float64, classes), make([]float64, classes)
		if shares[s] > 0 {
			d.open = append(d.open, s)
		}
	}
	for c := range classes {
		rest := d.clips[c]
		for _, s := range d.open {
			if s == Train {
				continue
			}
			d.wanted[s][c] = shares[s] * d.clips[c]
			if groups[c] >= len(d.open) { // enough for one on each side
				d.wanted[s][c] = max(d.wanted[s][c], 1)
			}
			rest -= d.wanted[s][c]
		}
		d.wanted[Train][c] = rest
	}
	return d
}

// cost is what an item on a side adds to the cost of the split.
func (d *dealer) cost(it splitItem, side int) float64 {
	sum := 0.0
	for _, n := range it.classes {
		c, clips := n.label, float64(n.clips)
		sum += clips * (2*(d.have[side][c]-d.wanted[side][c]) + clips) / d.clips[c]
		if d.have[side][c] == 0 {
			sum -= d.fill
		}
	}
	return sum
}

func (d *dealer) move(it splitItem, side int, sign float64) {
	for _, n := range it.classes {
		d.have[side][n.label] += sign * float64(n.clips)
	}
}

func (d *dealer) best(it splitItem) int {
	best, least := Train, 0.0
	for i, s := range d.open {
		if c := d.cost(it, s); i == 0 || c < least {
			best, least = s, c
		}
	}
	return best
}

// maxSweeps bounds the search for better places; few are needed.
const maxSweeps = 10

func (d *dealer) improve(items []splitItem, order, side []int) {
	d.fill = 1
	for range maxSweeps {
		moved := false
		for _, i := range order {
			it := items[i]
			d.move(it, side[i], -1)
			if s := d.best(it); d.cost(it, s) < d.cost(it, side[i])-1e-9 {
				side[i], moved = s, true
			}
			d.move(it, side[i], 1)
		}
		if !moved {
			return
		}
	}
}
