package graphtest

import (
	"fmt"

	"github.com/pptsn/pptsn/graph"
)

func convCases() []testCase {
	var cases []testCase
	for _, c := range []struct {
		name   string
		input  []int
		out    int
		kh, kw int
		conv   graph.Conv
	}{
		{"1x1", []int{1, 5, 3, 7}, 3, 1, 1, graph.Conv{}},
		{"1x1 of whole blocks", []int{2, 32, 7, 7}, 64, 1, 1, graph.Conv{Bias: true}},
		{"3x3 same", []int{2, 3, 9, 11}, 8, 3, 3, graph.Conv{Pad: graph.SamePad(1), Bias: true}},
		{"3x3 of whole blocks", []int{1, 32, 13, 13}, 32, 3, 3, graph.Conv{Pad: graph.SamePad(1)}},
		{"3x3 of broken blocks", []int{1, 19, 13, 10}, 37, 3, 3, graph.Conv{Pad: graph.SamePad(1), Bias: true}},
		{"stride 2 on odd sides", []int{1, 3, 13, 15}, 16, 3, 3, graph.Conv{Stride: [2]int{2, 2}, Pad: graph.SamePad(1)}},
		{"stride 2 on even sides", []int{1, 16, 12, 14}, 16, 3, 3, graph.Conv{Stride: [2]int{2, 2}, Pad: graph.SamePad(1)}},
		{"1x1 with stride 2", []int{2, 16, 7, 9}, 32, 1, 1, graph.Conv{Stride: [2]int{2, 2}}},
		{"strides differ", []int{1, 4, 11, 11}, 5, 3, 3, graph.Conv{Stride: [2]int{1, 3}}},
		{"7x7 stem", []int{1, 3, 33, 29}, 16, 7, 7, graph.Conv{Stride: [2]int{2, 2}, Pad: graph.SamePad(3), Bias: true}},
		{"1x7 and padding to match", []int{1, 16, 8, 8}, 16, 1, 7, graph.Conv{Pad: graph.Pad{Left: 3, Right: 3}}},
		{"padding differs on each side", []int{1, 3, 8, 9}, 4, 3, 4, graph.Conv{Pad: graph.Pad{Top: 0, Left: 2, Bottom: 1, Right: 3}, Bias: true}},
		{"padding only after", []int{1, 3, 8, 8}, 16, 3, 3, graph.Conv{Stride: [2]int{2, 2}, Pad: graph.Pad{Bottom: 1, Right: 1}}},
		{"dilation 2", []int{1, 8, 15, 15}, 8, 3, 3, graph.Conv{Dilation: [2]int{2, 2}, Pad: graph.SamePad(2)}},
		{"dilations differ", []int{1, 3, 15, 15}, 4, 3, 2, graph.Conv{Dilation: [2]int{3, 1}}},
		{"two groups", []int{1, 6, 7, 7}, 8, 3, 3, graph.Conv{Groups: 2, Pad: graph.SamePad(1), Bias: true}},
		{"32 groups, as ResNeXt", []int{1, 128, 7, 7}, 128, 3, 3, graph.Conv{Groups: 32, Pad: graph.SamePad(1)}},
		{"depthwise", []int{2, 24, 9, 9}, 24, 3, 3, graph.Conv{Groups: 24, Pad: graph.SamePad(1), Bias: true}},
		{"depthwise 5x5 with stride 2", []int{1, 13, 11, 12}, 13, 5, 5, graph.Conv{Groups: 13, Stride: [2]int{2, 2}, Pad: graph.SamePad(2)}},
		{"depthwise with two filters a channel", []int{1, 5, 9, 9}, 10, 3, 3, graph.Conv{Groups: 5, Bias: true}},
		{"filter as large as the picture", []int{2, 4, 5, 6}, 7, 5, 6, graph.Conv{Bias: true}},
		{"filter larger than the picture", []int{1, 4, 2, 2}, 3, 5, 5, graph.Conv{Pad: graph.SamePad(2)}},
		{"one pixel, one channel", []int{1, 1, 1, 1}, 1, 1, 1, graph.Conv{Bias: true}},
	} {
		cases = append(cases, testCase{c.name, c.input, func(b *builder, x *graph.Value) *graph.Value {
			return b.conv(x, c.out, c.kh, c.kw, c.conv)
		}})
	}
	return append(cases,
		testCase{"filter shared by two", []int{1, 4, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			c := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(1), Groups: 1}
			w := b.param(4, 4, 3, 3)
			return b.add(c, b.relu(b.add(c, x, w)), w)
		}},
		testCase{"filter that is computed", []int{1, 4, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			c := graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Pad: graph.SamePad(1), Groups: 2}
			w := b.add(graph.Transpose{Perm: []int{3, 2, 1, 0}}, b.param(3, 3, 2, 6))
			return b.add(c, x, w)
		}},
	)
}

func poolCases() []testCase {
	var cases []testCase
	for _, c := range []struct {
		name  string
		input []int
		pool  graph.Pool
	}{
		{"2x2", []int{1, 3, 8, 6}, graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}}},
		{"2x2 drops the odd edge", []int{2, 3, 7, 9}, graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}}},
		{"2x2 hangs over the odd edge", []int{2, 3, 7, 9}, graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Ceil: true}},
		{"3x3 after a stem", []int{1, 16, 13, 14}, graph.Pool{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: graph.SamePad(1)}},
		{"3x3 hangs over even sides", []int{1, 16, 12, 14}, graph.Pool{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Ceil: true}},
		{"3x3 hangs over, with padding", []int{1, 5, 12, 15}, graph.Pool{Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: graph.SamePad(1), Ceil: true}},
		{"a window in the padding alone is left out", []int{1, 2, 5, 5}, graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{3, 3}, Pad: graph.SamePad(1), Ceil: true}},
		{"strides larger than windows", []int{1, 2, 9, 10}, graph.Pool{Kernel: [2]int{2, 1}, Stride: [2]int{3, 4}, Ceil: true}},
		{"padding differs on each side", []int{1, 3, 8, 9}, graph.Pool{Kernel: [2]int{3, 4}, Stride: [2]int{2, 1}, Pad: graph.Pad{Top: 2, Left: 0, Bottom: 1, Right: 3}}},
		{"all of the picture", []int{2, 20, 7, 5}, graph.Pool{Kernel: [2]int{7, 5}, Stride: [2]int{1, 1}}},
		{"1x1", []int{1, 3, 4, 4}, graph.Pool{Kernel: [2]int{1, 1}, Stride: [2]int{2, 2}}},
	} {
		for _, kind := range []struct {
			name       string
			max, count bool
		}{{"max", true, false}, {"mean", false, false}, {"mean with padding", false, true}} {
			p := c.pool
			p.Max, p.CountPadding = kind.max, kind.count
			cases = append(cases, testCase{kind.name + " " + c.name, c.input, func(b *builder, x *graph.Value) *graph.Value {
				return b.add(p, x)
			}})
		}
	}
	return append(cases, testCase{"mean between convolutions", []int{1, 16, 7, 7}, func(b *builder, x *graph.Value) *graph.Value {
		x = b.conv(x, 20, 3, 3, graph.Conv{Pad: graph.SamePad(1)})
		x = b.add(graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Ceil: true}, x)
		return b.conv(x, 16, 1, 1, graph.Conv{})
	}})
}

func elementwiseCases() []testCase {
	var cases []testCase
	for _, a := range activations {
		cases = append(cases, testCase{a.String(), []int{2, 17, 3, 5}, func(b *builder, x *graph.Value) *graph.Value {
			return b.act(b.add(graph.Affine{Scale: 4}, x), a) // in [-8, 8)
		}})
	}
	for op := range graph.Div + 1 {
		for _, shape := range [][]int{{2, 17, 3, 5}, {17, 3, 5}, {1, 17, 1, 1}, {17, 1, 1}, {5}, {3, 1}, {1}, {}, {2, 17, 1, 5}} {
			name := fmt.Sprint(op, " parameter ", shape)
			in := []int{2, 17, 3, 5}
			cases = append(cases,
				testCase{name, in, func(b *builder, x *graph.Value) *graph.Value {
					return b.add(graph.Binary{Op: op}, x, b.param(shape...))
				}},
				testCase{name + " on the left", in, func(b *builder, x *graph.Value) *graph.Value {
					return b.add(graph.Binary{Op: op}, b.param(shape...), b.add(graph.Affine{Scale: 0.25, Shift: 2}, x))
				}})
		}
	}
	return append(cases, []testCase{
		{"affine", []int{2, 3, 4}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Affine{Scale: -1.5, Shift: 0.25}, x)
		}},
		{"both operands stretched", []int{2, 1, 3, 1}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Binary{Op: graph.Sub}, x, b.param(5, 1, 4))
		}},
		{"the result has more axes", []int{4, 3}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Binary{Op: graph.Mul}, b.param(2, 1, 3), x)
		}},
		{"sum with activation", []int{2, 20, 5, 5}, func(b *builder, x *graph.Value) *graph.Value {
			y := b.conv(x, 20, 3, 3, graph.Conv{Pad: graph.SamePad(1)})
			return b.add(graph.Binary{Op: graph.Sub, Act: relu}, x, y)
		}},
		{"a value with itself", []int{2, 3, 4, 5}, func(b *builder, x *graph.Value) *graph.Value {
			return b.add(graph.Binary{Op: graph.Mul}, x, x)
		}},
		{"channels weighed, as squeeze and excitation", []int{2, 24, 6, 5}, func(b *builder, x *graph.Value) *graph.Value {
			s := b.add(graph.Mean{Axes: []int{2, 3}, Keep: true}, x)
			s = b.relu(b.conv(s, 6, 1, 1, graph.Conv{Bias: true}))
			s = b.act(b.conv(s, 24, 1, 1, graph.Conv{Bias: true}), activations[5])
			return b.add(graph.Binary{Op: graph.Mul}, x, s)
		}},
		{"batch norm of pictures", []int{2, 19, 4, 3}, func(b *builder, x *graph.Value) *graph.Value { return b.norm(x) }},
		{"batch norm between pool and convolution", []int{1, 20, 8, 8}, func(b *builder, x *graph.Value) *graph.Value {
			x = b.conv(x, 20, 1, 1, graph.Conv{})
			x = b.add(graph.Pool{Max: true, Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}}, x)
			return b.conv(b.relu(b.norm(x)), 8, 1, 1, graph.Conv{})
		}},
		{"batch norm of vectors", []int{4, 6}, func(b *builder, x *graph.Value) *graph.Value { return b.norm(x) }},
		{"batch norm of sequences", []int{3, 6, 5}, func(b *builder, x *graph.Value) *graph.Value { return b.norm(x) }},
		{"batch norm of clips", []int{2, 3, 2, 5, 4}, func(b *builder, x *graph.Value) *graph.Value { return b.norm(x) }},
	}...)
}
