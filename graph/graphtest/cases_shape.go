package graphtest

import (
	"fmt"

	"github.com/pptsn/pptsn/graph"
)

func reduceCases() []testCase {
	var cases []testCase
	for _, c := range []struct {
		input []int
		axes  []int
	}{
		{[]int{2, 20, 7, 5}, []int{2, 3}}, {[]int{2, 32, 7, 7}, []int{3, 2}}, {[]int{2, 5, 3, 4}, []int{1}},
		{[]int{2, 5, 3, 4}, []int{0}}, {[]int{2, 5, 3, 4}, []int{0, 1, 2, 3}}, {[]int{3, 4, 6}, []int{1}},
		{[]int{3, 4, 6}, []int{2}}, {[]int{3, 4}, []int{1}}, {[]int{2, 3, 4, 2, 3}, []int{1, 3}},
		{[]int{2, 3, 1, 1}, []int{2, 3}}, {[]int{2, 1, 3}, []int{1}}, {[]int{2, 3}, nil},
	} {
		for _, keep := range []bool{true, false} {
			name := fmt.Sprintf("mean of %v over %v, keep %v", c.input, c.axes, keep)
			cases = append(cases, testCase{name, c.input, func(b *builder, x *graph.Value) *graph.Value {
				return b.add(graph.Mean{Axes: c.axes, Keep: keep}, x)
			}})
		}
	}
	for _, c := range []struct {
		input []int
		axis  int
	}{{[]int{3, 10}, 1}, {[]int{3, 10}, 0}, {[]int{2, 5, 3, 4}, 1}, {[]int{2, 5, 3, 4}, 3}, {[]int{2, 3, 7}, 2}, {[]int{4, 1}, 1}, {[]int{6}, 0}} {
		cases = append(cases, testCase{fmt.Sprintf("softmax of %v over %v", c.input, c.axis), c.input, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Softmax{Axis: c.axis}, b.add(graph.Affine{Scale: 10}, x))
		}})
	}
	for _, c := range []struct {
		input []int
		out   int
		op    graph.Linear
	}{
		{[]int{1, 5}, 3, graph.Linear{}}, {[]int{3, 33}, 17, graph.Linear{Bias: true}}, {[]int{5, 128}, 1, graph.Linear{Bias: true}}, {[]int{1, 128}, 3, graph.Linear{}},
		{[]int{2, 3, 8}, 5, graph.Linear{Bias: true}}, {[]int{2, 3, 4, 6}, 6, graph.Linear{}}, {[]int{7}, 4, graph.Linear{Bias: true}},
		{[]int{4, 16}, 16, graph.Linear{}},
	} {
		for _, transposed := range []bool{false, true} {
			op := c.op
			op.Transposed = transposed
			name := fmt.Sprintf("linear %v to %d, transposed %v", c.input, c.out, transposed)
			if len(c.input) == 1 { // its only axis must be known
				cases = append(cases, testCase{name, []int{1, c.input[0]}, func(b *builder, x *graph.Value) *graph.Value {
					return b.linear(b.add(graph.Reshape{Shape: c.input}, x), c.out, op)
				}})
				continue
			}
			cases = append(cases, testCase{name, c.input, func(b *builder, x *graph.Value) *graph.Value {
				return b.linear(x, c.out, op)
			}})
		}
	}
	return append(cases, testCase{"one matrix both ways", []int{2, 6}, func(b *builder, x *graph.Value) *graph.Value {
		w := b.param(6, 6)
		return b.add(graph.Linear{Transposed: true}, b.relu(b.add(graph.Linear{}, x, w)), w)
	}})
}

func layoutCases() []testCase {
	return []testCase{
		{"reshape after convolution", []int{2, 16, 5, 5}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Reshape{Shape: []int{0, -1}}, b.conv(x, 20, 3, 3, graph.Conv{}))
		}},
		{"reshape of what is read later", []int{2, 16, 4, 4}, func(b *builder, x *graph.Value) *graph.Value {
			y := b.relu(x)
			flat := b.add(graph.Reshape{Shape: []int{-1, 16, 16, 1}}, y)
			z := b.add(graph.Reshape{Shape: []int{-1, 16, 4, 4}}, b.conv(flat, 16, 1, 1, graph.Conv{}))
			return b.sum(z, y)
		}},
		{"reshape that joins the batch", []int{4, 6}, func(b *builder, x *graph.Value) *graph.Value {
			return b.linear(b.add(graph.Reshape{Shape: []int{-1, 12}}, x), 5, graph.Linear{})
		}},
		{"reshape of a parameter", []int{2, 4, 3, 3}, func(b *builder, x *graph.Value) *graph.Value {
			p := b.add(graph.Reshape{Shape: []int{1, 4, 1, 1}}, b.param(4))
			return b.sum(b.conv(x, 4, 1, 1, graph.Conv{}), p)
		}},
		{"transpose to channels last", []int{2, 5, 3, 4}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Transpose{Perm: []int{0, 2, 3, 1}}, x)
		}},
		{"transpose after convolution", []int{2, 16, 3, 4}, func(b *builder, x *graph.Value) *graph.Value {
			x = b.add(graph.Transpose{Perm: []int{0, 3, 1, 2}}, b.conv(x, 20, 1, 1, graph.Conv{}))
			return b.conv(x, 8, 3, 3, graph.Conv{Pad: graph.SamePad(1)})
		}},
		{"transpose of the batch", []int{3, 4}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Transpose{Perm: []int{1, 0}}, x)
		}},
		{"transpose of a parameter", []int{3, 4}, func(b *builder, x *graph.Value) *graph.Value {
			return b.sum(x, b.add(graph.Transpose{Perm: []int{1, 0}}, b.param(4, 1)))
		}},
		{"shuffled channels", []int{2, 12, 3, 3}, func(b *builder, x *graph.Value) *graph.Value {
			x = b.add(graph.Reshape{Shape: []int{-1, 3, 4, 3, 3}}, b.conv(x, 12, 1, 1, graph.Conv{Groups: 3}))
			x = b.add(graph.Transpose{Perm: []int{0, 2, 1, 3, 4}}, x)
			return b.conv(b.add(graph.Reshape{Shape: []int{-1, 12, 3, 3}}, x), 12, 1, 1, graph.Conv{Groups: 4})
		}},
		{"slice of channels", []int{2, 24, 3, 4}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Slice{Axes: []int{1}, Starts: []int{5}, Ends: []int{17}}, b.conv(x, 24, 1, 1, graph.Conv{}))
		}},
		{"slice of several axes, from the end and beyond", []int{2, 7, 5, 6}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Slice{Axes: []int{3, 1}, Starts: []int{-4, -100}, Ends: []int{-1, 100}}, x)
		}},
		{"slice of one element", []int{2, 7, 5}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Slice{Axes: []int{1, 2}, Starts: []int{6, 0}, Ends: []int{7, 1}}, x)
		}},
		{"concat of broken blocks", []int{2, 5, 3, 4}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Concat{Axis: 1}, x, b.conv(x, 9, 1, 1, graph.Conv{}), b.conv(x, 3, 1, 1, graph.Conv{}))
		}},
		{"concat of whole blocks, then convolution", []int{1, 16, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			y := b.conv(x, 32, 3, 3, graph.Conv{Pad: graph.SamePad(1)})
			return b.conv(b.add(graph.Concat{Axis: 1}, b.conv(x, 16, 1, 1, graph.Conv{}), y), 16, 1, 1, graph.Conv{})
		}},
		{"concat of one value twice", []int{2, 3}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Concat{Axis: 1}, x, x)
		}},
		{"concat along the batch", []int{2, 3, 4}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Concat{Axis: 0}, x, b.param(1, 3, 4), b.relu(x))
		}},
		{"concat along the last axis", []int{2, 3, 4, 5}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Concat{Axis: 3}, x, b.relu(x))
		}},
		{"temporal shift", []int{8, 16, 3, 3}, func(b *builder, x *graph.Value) *graph.Value {
			x = b.conv(x, 16, 1, 1, graph.Conv{})
			return b.conv(b.add(graph.TemporalShift{Segments: 4, Ratio: 0.125}, x), 8, 1, 1, graph.Conv{})
		}},
		{"dropout", []int{2, 3}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Dropout{P: 0.5}, b.relu(x))
		}},
		{"nothing at all", []int{2, 3}, func(b *builder, x *graph.Value) *graph.Value { return x }},
		{"a scalar", []int{3, 4}, func(b *builder, x *graph.Value) *graph.Value {
			return b.sum(b.add(graph.Mean{Axes: []int{0, 1}}, x), b.param())
		}},
	}
}
