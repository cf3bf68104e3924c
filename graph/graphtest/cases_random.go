package graphtest

import (
	"fmt"

	"github.com/pptsn/pptsn/graph"
)

// randomCases are single layers of all manner of sizes.
func randomCases() []testCase {
	var cases []testCase
	r := newRandom("random layers")
	for len(cases) < 150 {
		tc := r.pool()
		if len(cases)%2 == 0 {
			tc = r.conv()
		}
		tc.name = fmt.Sprintf("%d, %v", len(cases), tc.input)
		if tc.possible() {
			cases = append(cases, tc)
		}
	}
	return cases
}

// possible reports whether the operation fits its input.
func (tc testCase) possible() (ok bool) {
	defer func() { ok = recover() == nil }()
	_, err := tc.graph().Bind(tc.input)
	return err == nil
}

// upTo is from 1 to n.
func (r random) upTo(n int) int { return 1 + r.IntN(n) }

func (r random) pad(n int) graph.Pad {
	return graph.Pad{Top: r.IntN(n), Left: r.IntN(n), Bottom: r.IntN(n), Right: r.IntN(n)}
}

func (r random) conv() testCase {
	groups := r.upTo(4)
	if r.IntN(3) > 0 {
		groups = 1
	}
	c := graph.Conv{
		Stride: [2]int{r.upTo(3), r.upTo(3)}, Dilation: [2]int{r.upTo(2), r.upTo(2)}, Pad: r.pad(4),
		Groups: groups, Bias: r.IntN(2) == 0, Act: activations[r.IntN(len(activations))],
	}
	out, kh, kw := groups*r.upTo(40/groups), r.upTo(5), r.upTo(5)
	input := []int{r.upTo(3), groups * r.upTo(40/groups), r.upTo(14), r.upTo(14)}
	return testCase{input: input, make: func(b *builder, x *graph.Value) *graph.Value {
		return b.conv(x, out, kh, kw, c)
	}}
}

func (r random) pool() testCase {
	p := graph.Pool{
		Max: r.IntN(2) == 0, Kernel: [2]int{r.upTo(5), r.upTo(5)}, Stride: [2]int{r.upTo(4), r.upTo(4)}, Pad: r.pad(3),
		Ceil: r.IntN(2) == 0, CountPadding: r.IntN(3) == 0,
	}
	input := []int{r.upTo(3), r.upTo(40), r.upTo(14), r.upTo(14)}
	return testCase{input: input, make: func(b *builder, x *graph.Value) *graph.Value { return b.add(p, x) }}
}
