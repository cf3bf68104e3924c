package quantize

import (
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
)

func optimised(t *testing.T) *graph.Graph {
	t.Helper()
	b := toy(t)
	g, _, err := graph.Optimize(b.Graph, b.Weights)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestHold(t *testing.T) {
	g := optimised(t)
	for _, tc := range []struct {
		name   string
		keep   []string
		groups [][]string
		signed []bool
		float  []string
	}{
		// a reads pictures. The pool shares a's scale; c's result, which is added to the shortcut's, may be negative.
		{"all", nil, [][]string{{"a.relu", "pool"}, {"b.relu"}, {"c"}, {"sum.relu"}}, []bool{false, false, true, false}, []string{"a"}},
		{"last", []string{"d"}, [][]string{{"a.relu", "pool"}, {"b.relu"}, {"c"}}, []bool{false, false, true}, []string{"a", "d"}},
		// b's operand is held no more, but the pool's result is.
		{"by weights", []string{"b_weights"}, [][]string{{"b.relu"}, {"c"}, {"pool"}, {"sum.relu"}}, []bool{false, true, false, false}, []string{"a", "b"}},
		// without the shortcut nobody adds c as an integer
		{"by result", []string{"sum.relu"}, [][]string{{"a.relu"}, {"b.relu"}, {"sum.relu"}}, []bool{false, false, false}, []string{"a", "short"}},
		{"the first", []string{"a"}, [][]string{{"a.relu", "pool"}, {"b.relu"}, {"c"}, {"sum.relu"}}, []bool{false, false, true, false}, []string{"a"}},
		{"everything", []string{"b", "c", "short", "d"}, nil, nil, []string{"a", "b", "c", "short", "d"}},
	} {
		h := hold(g, tc.keep)
		float := h.float(g)
		slices.Sort(float)
		want := slices.Sorted(slices.Values(tc.float))
		if !slices.EqualFunc(h.groups, tc.groups, slices.Equal) || !slices.Equal(h.signed, tc.signed) || !slices.Equal(float, want) {
			t.Errorf("%s: groups %v signed %v, in float32 %v; want %v %v %v", tc.name, h.groups, h.signed, float, tc.groups, tc.signed, want)
		}
	}
}

// Two pools one behind the other, and the values around them, are one group.
func TestHoldPools(t *testing.T) {
	g := graph.New("pools")
	conv := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1}
	pool := graph.Pool{Max: true, Kernel: [2]int{2, 2}, Stride: [2]int{1, 1}}
	a := g.Must("a", conv, g.Input("x", 1, 2, 8, 8), g.Param("wa", 2, 2, 1, 1))
	q := g.Must("q", pool, g.Must("p", pool, a))
	g.Output(g.Must("b", conv, q, g.Param("wb", 2, 2, 1, 1)), g.Must("c", conv, a, g.Param("wc", 2, 2, 1, 1)))
	h := hold(g, nil)
	if len(h.groups) != 1 || !slices.Equal(h.groups[0], []string{"a", "p", "q"}) || !h.signed[0] {
		t.Errorf("groups %v, signed %v, want one of a, p and q", h.groups, h.signed)
	}
}

func TestCheckKeep(t *testing.T) {
	g := optimised(t)
	if err := checkKeep(g, []string{"b", "sum.relu", "c_weights"}); err != nil {
		t.Error(err)
	}
	if err := checkKeep(g, []string{"b", "e"}); err == nil || !strings.Contains(err.Error(), "layer e") || !strings.Contains(err.Error(), "a, b, ") {
		t.Errorf("error %v, want e and the layers that exist", err)
	}
}
