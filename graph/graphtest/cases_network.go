package graphtest

import (
	"fmt"

	"github.com/pptsn/pptsn/graph"
)

// fusedCases are what passes turn into one node, and what looks alike but must
// not be.
func fusedCases() []testCase {
	var cases []testCase
	same := graph.Conv{Pad: graph.SamePad(1)}
	for _, a := range activations {
		cases = append(cases,
			testCase{"conv, norm, " + a.String(), []int{2, 3, 7, 7}, func(b *builder, x *graph.Value) *graph.Value {
				return b.act(b.norm(b.conv(x, 20, 3, 3, same)), a)
			}},
			testCase{"conv, norm, sum, " + a.String(), []int{2, 20, 7, 7}, func(b *builder, x *graph.Value) *graph.Value {
				return b.act(b.sum(x, b.norm(b.conv(x, 20, 3, 3, same))), a)
			}},
			testCase{"depthwise conv, sum, " + a.String(), []int{1, 16, 7, 7}, func(b *builder, x *graph.Value) *graph.Value {
				x = b.relu(x)
				return b.act(b.sum(b.conv(x, 16, 3, 3, graph.Conv{Pad: graph.SamePad(1), Groups: 16}), x), a)
			}},
			testCase{"conv with activation, then sum, " + a.String(), []int{1, 20, 7, 7}, func(b *builder, x *graph.Value) *graph.Value {
				return b.relu(b.sum(x, b.act(b.conv(x, 20, 3, 3, same), a)))
			}})
	}
	return append(cases, []testCase{
		{"residual that is read again", []int{1, 16, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			y := b.conv(x, 16, 3, 3, same)
			z := b.relu(b.sum(b.conv(y, 16, 3, 3, same), y))
			return b.sum(b.add(graph.Affine{Scale: 2}, z), y)
		}},
		{"residual that is the operand", []int{1, 16, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			y := b.relu(b.conv(x, 16, 1, 1, graph.Conv{}))
			return b.sum(b.conv(y, 16, 1, 1, graph.Conv{}), y)
		}},
		{"residual that is the input", []int{1, 16, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			return b.relu(b.sum(b.conv(x, 16, 3, 3, same), x))
		}},
		{"residual that is reshaped", []int{1, 16, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			y := b.relu(x)
			r := b.add(graph.Reshape{Shape: []int{-1, 16, 6, 6}}, y)
			z := b.sum(b.conv(b.conv(y, 16, 3, 3, same), 16, 3, 3, same), r)
			return b.sum(z, b.add(graph.Affine{Scale: 3}, y))
		}},
		{"residual stretched over the picture", []int{2, 16, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			m := b.add(graph.Mean{Axes: []int{2, 3}, Keep: true}, x)
			return b.sum(b.conv(x, 16, 3, 3, same), m)
		}},
		{"residual given by the graph", []int{2, 20, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			r := b.relu(x)
			c := same
			c.Bias, c.Residual, c.Act = true, true, relu
			return b.conv(x, 20, 3, 3, c, r)
		}},
		{"residual that is a parameter", []int{1, 20, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			c := same
			c.Residual = true
			return b.conv(x, 20, 3, 3, c, b.param(1, 20, 6, 6))
		}},
		{"sum of two convolutions", []int{1, 16, 6, 6}, func(b *builder, x *graph.Value) *graph.Value {
			return b.relu(b.sum(b.conv(x, 20, 3, 3, same), b.conv(x, 20, 1, 1, graph.Conv{})))
		}},
		{"bias by addition", []int{2, 3, 5, 5}, func(b *builder, x *graph.Value) *graph.Value {
			return b.relu(b.sum(b.conv(x, 20, 3, 3, same), b.param(1, 20, 1, 1)))
		}},
		{"bias of a linear layer by addition", []int{2, 8}, func(b *builder, x *graph.Value) *graph.Value {
			return b.sum(b.linear(x, 5, graph.Linear{}), b.param(5))
		}},
		{"norm of a value that is read twice", []int{1, 8, 5, 5}, func(b *builder, x *graph.Value) *graph.Value {
			y := b.conv(x, 8, 3, 3, same)
			return b.sum(b.norm(y), y)
		}},
	}...)
}

// networkCases are small networks of the families that the project runs.
func networkCases() []testCase {
	cases := []testCase{
		{"views joined, then classified", []int{2, 3, 3, 33, 29}, segmentNetwork},
		{"views of one video", []int{1, 11, 3, 16, 16}, segmentNetwork},
		{"classifier with probabilities", []int{5, 3, 17, 17}, func(b *builder, x *graph.Value) *graph.Value {
			x = b.relu(b.norm(b.conv(x, 16, 7, 7, graph.Conv{Stride: [2]int{2, 2}, Pad: graph.SamePad(3)})))
			x = b.add(graph.Reshape{Shape: []int{0, -1}}, b.bottleneck(x, 20, 1))
			return b.add(graph.Softmax{Axis: 1}, b.linear(x, 10, graph.Linear{Bias: true}))
		}},
		{"mobile blocks", []int{2, 3, 20, 20}, mobileNetwork},
		{"dense block", []int{1, 8, 7, 7}, func(b *builder, x *graph.Value) *graph.Value {
			for range 3 {
				y := b.conv(b.relu(b.norm(x)), 12, 3, 3, graph.Conv{Pad: graph.SamePad(1)})
				x = b.add(graph.Concat{Axis: 1}, x, y)
			}
			return x
		}},
		{"shifted segments", []int{2, 4, 3, 16, 16}, func(b *builder, x *graph.Value) *graph.Value {
			x = b.add(graph.Reshape{Shape: []int{-1, 3, 16, 16}}, x)
			x = b.relu(b.conv(x, 16, 3, 3, graph.Conv{Pad: graph.SamePad(1), Bias: true}))
			for range 2 {
				y := b.add(graph.TemporalShift{Segments: 4, Ratio: 0.125}, x)
				x = b.relu(b.sum(b.conv(y, 16, 3, 3, graph.Conv{Pad: graph.SamePad(1)}), x))
			}
			return b.head(x, 4)
		}},
	}
	return cases
}

// segmentNetwork is a small ResNet-vd on views [N, T, 3, H, W].
func segmentNetwork(b *builder, x *graph.Value) *graph.Value {
	views, same := x.Shape[1], graph.SamePad(1)
	x = b.add(graph.Reshape{Shape: append([]int{-1}, x.Shape[2:]...)}, x)
	x = b.relu(b.norm(b.conv(x, 8, 3, 3, graph.Conv{Stride: [2]int{2, 2}, Pad: same})))
	x = b.add(graph.Pool{Max: true, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: same}, x)
	for _, block := range []struct{ out, stride int }{{16, 1}, {16, 1}, {36, 2}, {36, 1}} {
		x = b.bottleneck(x, block.out, block.stride)
	}
	return b.head(x, views)
}

// bottleneck is a residual block with ResNet-D's pooled shortcut.
func (b *builder) bottleneck(x *graph.Value, out, stride int) *graph.Value {
	y := b.relu(b.norm(b.conv(x, out/2, 1, 1, graph.Conv{})))
	y = b.relu(b.norm(b.conv(y, out/2, 3, 3, graph.Conv{Stride: [2]int{stride, stride}, Pad: graph.SamePad(1)})))
	y = b.norm(b.conv(y, out, 1, 1, graph.Conv{}))
	short := x
	if stride > 1 {
		short = b.add(graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Ceil: true}, x)
	}
	if out != x.Shape[1] {
		short = b.norm(b.conv(short, out, 1, 1, graph.Conv{}))
	}
	return b.relu(b.sum(y, short))
}

// head averages each view and the views of each video, and classifies.
func (b *builder) head(x *graph.Value, views int) *graph.Value {
	c := x.Shape[1]
	x = b.add(graph.Mean{Axes: []int{2, 3}, Keep: true}, x)
	x = b.add(graph.Reshape{Shape: []int{-1, views, c}}, x)
	x = b.add(graph.Dropout{P: 0.4}, b.add(graph.Mean{Axes: []int{1}}, x))
	return b.linear(x, 7, graph.Linear{Bias: true})
}

// mobileNetwork is two inverted residual blocks as in MobileNetV3.
func mobileNetwork(b *builder, x *graph.Value) *graph.Value {
	swish := graph.Activation{Func: graph.HardSwish}
	x = b.act(b.norm(b.conv(x, 16, 3, 3, graph.Conv{Stride: [2]int{2, 2}, Pad: graph.SamePad(1)})), swish)
	for range 2 {
		y := b.act(b.norm(b.conv(x, 40, 1, 1, graph.Conv{})), swish)
		y = b.act(b.norm(b.conv(y, 40, 5, 5, graph.Conv{Groups: 40, Pad: graph.SamePad(2)})), swish)
		s := b.add(graph.Mean{Axes: []int{2, 3}, Keep: true}, y)
		s = b.relu(b.conv(s, 10, 1, 1, graph.Conv{Bias: true}))
		s = b.act(b.conv(s, 40, 1, 1, graph.Conv{Bias: true}), graph.Activation{Func: graph.HardSigmoid, Slope: 0.2, Offset: 0.5})
		y = b.add(graph.Binary{Op: graph.Mul}, y, s)
		x = b.sum(x, b.norm(b.conv(y, 16, 1, 1, graph.Conv{})))
	}
	x = b.add(graph.Mean{Axes: []int{2, 3}}, x)
	return b.linear(x, 10, graph.Linear{Bias: true})
}

// videoCase is the network that the tests of behaviour use.
func videoCase(videos int) testCase {
	return testCase{fmt.Sprint("videos ", videos), []int{videos, 3, 3, 16, 16}, segmentNetwork}
}
