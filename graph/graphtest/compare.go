package graphtest

import (
	"fmt"
	"math"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// Compare returns an error that names shapes, the worst place and the
// difference there if got's shape is another than want's, or if an element
// differs by more than tol times the largest magnitude in want. Infinities and
// NaN must be in the same places.
func Compare(got, want *tensor.Dense, tol float64) error {
	if got.Type != want.Type || !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("is %s, want %s", got, want)
	}
	g, w := got.Float32s(), want.Float32s()
	largest := 0.0
	for _, v := range w {
		if m := math.Abs(float64(v)); !math.IsInf(m, 0) && !math.IsNaN(m) {
			largest = max(largest, m)
		}
	}
	worst, at := 0.0, -1
	for i := range w {
		if d := difference(g[i], w[i]); d > worst {
			worst, at = d, i
		}
	}
	if worst <= tol*largest {
		return nil
	}
	return fmt.Errorf("%s: at %v is %v, want %v: differs by %.3g, may by %.3g",
		want, position(at, want.Shape), g[at], w[at], worst, tol*largest)
}

// difference is infinite if just one of the two is a number.
func difference(a, b float32) float64 {
	x, y := float64(a), float64(b)
	switch {
	case x == y || math.IsNaN(x) && math.IsNaN(y):
		return 0
	case math.IsNaN(x - y):
		return math.Inf(1)
	}
	return math.Abs(x - y)
}

// position is the index of element i along each axis.
func position(i int, shape []int) []int {
	at := make([]int, len(shape))
	for a := len(shape) - 1; a >= 0; a-- {
		at[a] = i % shape[a]
		i /= shape[a]
	}
	return at
}
