package graphtest

import (
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// A builder writes test graphs; it names values itself.
type builder struct {
	*graph.Graph
	count int
}

// unknownBatch is the input x of that shape, the first dimension unknown.
func (b *builder) unknownBatch(shape []int) *graph.Value {
	return b.Input("x", slices.Concat([]int{graph.Unknown}, shape[1:])...)
}

func (b *builder) name(kind string) string {
	b.count++
	return fmt.Sprint(kind, b.count)
}

func (b *builder) add(op graph.Op, in ...*graph.Value) *graph.Value {
	return b.Must(b.name(op.Kind()), op, in...)
}

func (b *builder) param(shape ...int) *graph.Value { return b.Param(b.name("w"), shape...) }

// conv adds a convolution to out channels; c's zero strides, dilations and
// groups are 1.
func (b *builder) conv(x *graph.Value, out, kh, kw int, c graph.Conv, residual ...*graph.Value) *graph.Value {
	for i := range 2 {
		c.Stride[i], c.Dilation[i] = max(c.Stride[i], 1), max(c.Dilation[i], 1)
	}
	c.Groups = max(c.Groups, 1)
	in := []*graph.Value{x, b.param(out, x.Shape[1]/c.Groups, kh, kw)}
	if c.Bias {
		in = append(in, b.param(out))
	}
	return b.add(c, append(in, residual...)...)
}

// norm adds a batch norm.
func (b *builder) norm(x *graph.Value) *graph.Value {
	in := []*graph.Value{x}
	for range 4 {
		in = append(in, b.param(x.Shape[1]))
	}
	return b.add(graph.BatchNorm{Epsilon: 1e-5}, in...)
}

func (b *builder) act(x *graph.Value, a graph.Activation) *graph.Value {
	return b.add(graph.Activate{Act: a}, x)
}

func (b *builder) relu(x *graph.Value) *graph.Value { return b.act(x, relu) }

func (b *builder) sum(x, y *graph.Value) *graph.Value {
	return b.add(graph.Binary{Op: graph.Add}, x, y)
}

// linear multiplies the last axis by a matrix to out columns.
func (b *builder) linear(x *graph.Value, out int, op graph.Linear) *graph.Value {
	from := x.Shape[len(x.Shape)-1]
	shape := []int{from, out}
	if op.Transposed {
		shape = []int{out, from}
	}
	in := []*graph.Value{x, b.param(shape...)}
	if op.Bias {
		in = append(in, b.param(out))
	}
	return b.add(op, in...)
}

var (
	relu        = graph.Activation{Func: graph.ReLU}
	activations = []graph.Activation{
		relu, {Func: graph.ReLU6}, {Func: graph.HardSwish}, {Func: graph.Sigmoid},
		{Func: graph.HardSigmoid, Slope: 1. / 6, Offset: 0.5}, {Func: graph.HardSigmoid, Slope: 0.2, Offset: 0.4},
		{Func: graph.Identity},
	}
)
