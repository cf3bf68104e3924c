package graph

import (
	"fmt"
	"math"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

func (m Mean) infer(in [][]int) ([]int, error) {
	if err := want(in, 1); err != nil {
		return nil, err
	}
	out := []int{}
	for i, d := range in[0] {
		switch {
		case !slices.Contains(m.Axes, i):
			out = append(out, d)
		case m.Keep:
			out = append(out, 1)
		}
	}
	for _, a := range m.Axes {
		if err := axisOf(in[0], a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r Reshape) infer(in [][]int) ([]int, error) {
	if err := want(in, 1); err != nil {
		return nil, err
	}
	x, out := in[0], slices.Clone(r.Shape)
	misfit := fmt.Errorf("%s to %s", tensor.ShapeString(x), tensor.ShapeString(r.Shape))
	free, kept := -1, 0 // the place to fill, and how many unknown dimensions are kept by 0
	for i, d := range out {
		switch {
		case d == 0 && i < len(x):
			out[i] = x[i]
			if x[i] == Unknown {
				kept++
			}
		case d == -1 && free < 0:
			free = i
		case d <= 0:
			return nil, misfit
		}
	}
	if unknowns(x) != kept { // elements that cannot be counted yet
		return out, nil
	}
	total, known := knownCount(x), knownCount(out)
	if free >= 0 {
		if total%known != 0 {
			return nil, misfit
		}
		out[free] = total / known
		return out, nil
	}
	if total != known {
		return nil, misfit
	}
	return out, nil
}

func knownCount(x []int) int {
	n := 1
	for _, d := range x {
		if d != Unknown && d > 0 && n <= math.MaxInt/d {
			n *= d
		}
	}
	return n
}

func unknowns(x []int) int {
	n := 0
	for _, d := range x {
		if d == Unknown {
			n++
		}
	}
	return n
}

func (t Transpose) infer(in [][]int) ([]int, error) {
	if err := want(in, 1); err != nil {
		return nil, err
	}
	x := in[0]
	sorted := slices.Sorted(slices.Values(t.Perm))
	misfit := len(sorted) != len(x)
	for i, a := range sorted {
		misfit = misfit || a != i
	}
	if misfit {
		return nil, fmt.Errorf("%v is not an order of the axes of %s", t.Perm, tensor.ShapeString(x))
	}
	out := make([]int, len(x))
	for i, a := range t.Perm {
		out[i] = x[a]
	}
	return out, nil
}

func (c Concat) infer(in [][]int) ([]int, error) {
	if len(in) == 0 {
		return nil, want(in, 1)
	}
	if err := axisOf(in[0], c.Axis); err != nil {
		return nil, err
	}
	out := slices.Clone(in[0])
	for _, x := range in[1:] {
		if len(x) != len(out) {
			return nil, fmt.Errorf("%s beside %s", tensor.ShapeString(x), tensor.ShapeString(out))
		}
		for i, d := range x {
			switch {
			case i == c.Axis && (d == Unknown || out[i] == Unknown):
				out[i] = Unknown
			case i == c.Axis:
				out[i] += d
			case !same(d, out[i]):
				return nil, fmt.Errorf("%s beside %s", tensor.ShapeString(x), tensor.ShapeString(out))
			case out[i] == Unknown:
				out[i] = d
			}
		}
	}
	return out, nil
}

func (s Slice) infer(in [][]int) ([]int, error) {
	if err := want(in, 1); err != nil {
		return nil, err
	}
	if len(s.Starts) != len(s.Axes) || len(s.Ends) != len(s.Axes) {
		return nil, fmt.Errorf("%d axes, %d starts, %d ends", len(s.Axes), len(s.Starts), len(s.Ends))
	}
	out := slices.Clone(in[0])
	for i, a := range s.Axes {
		if err := axisOf(out, a); err != nil {
			return nil, err
		}
		if out[a] == Unknown {
			return nil, fmt.Errorf("axis %d of unknown length", a)
		}
		from, to := s.span(i, in[0][a])
		out[a] = to - from
	}
	return out, nil
}

// span is the range that entry i keeps of an axis of that length.
func (s Slice) span(i, length int) (from, to int) {
	clamp := func(p int) int {
		if p < 0 {
			p += length
		}
		return min(max(p, 0), length)
	}
	from = clamp(s.Starts[i])
	return from, max(clamp(s.Ends[i]), from)
}

func (t TemporalShift) infer(in [][]int) ([]int, error) {
	if err := want(in, 1); err != nil {
		return nil, err
	}
	x := in[0]
	if err := wantRank(x, 4); err != nil {
		return nil, err
	}
	if t.Segments < 1 || t.Ratio < 0 || t.Ratio > 0.5 || x[0] != Unknown && x[0]%t.Segments != 0 {
		return nil, fmt.Errorf("%d segments, ratio %v of %s", t.Segments, t.Ratio, tensor.ShapeString(x))
	}
	return x, nil
}
