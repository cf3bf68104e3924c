package onednn

// #include "rows.h"
// #include <omp.h>
// #include "shim.h"
// #include "steps.h"
import "C"

import (
	"math"
	"slices"
	"unsafe"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// rowWeights is how many weights a layer of bytes may have to be computed row by
// row: they are read for each row, so they must stay in a core's cache.
const rowWeights = 128 << 10

// rowRoom is how many bytes the rows that a thread is at may take, for the same
// reason.
const rowRoom = 512 << 10

// A chain is nodes of which each alone reads the one before.
type chain []*graph.Node

func (c chain) String() string {
	if len(c) == 1 {
		return c[0].String()
	}
	return c[0].String() + " .. " + c[len(c)-1].String()
}

func (c chain) FLOPs() (n int64) {
	for _, node := range c {
		n += node.FLOPs()
	}
	return n
}

// rows are the layers from first on that our own code computes in one pass, row
// by row, if there are any.
func (l *lowering) rows(first *graph.Node) (c chain, r C.struct_nn_rows) {
	if !uses(C.dnnl_cpu_isa_avx512_core_vnni) {
		return nil, r
	}
	for n := first; n != nil && r.count < C.NN_MOST_LAYERS; n = l.reader(n.Out) {
		layer, ok := l.rowLayer(n, n == first)
		if !ok {
			break
		}
		longer := r
		longer.layers[r.count] = layer
		longer.count++
		if C.nn_rows_room(&longer) > rowRoom {
			break
		}
		c, r = append(c, n), longer
	}
	r.pictures, r.threads = C.int(first.Out.Shape[0]), C.omp_get_max_threads()
	return c, r
}

// reader is the one node that reads a value, if there is one.
func (l *lowering) reader(v *graph.Value) (only *graph.Node) {
	for _, n := range l.bound.Nodes {
		if !slices.Contains(n.In, v) {
			continue
		}
		if only != nil {
			return nil
		}
		only = n
	}
	if slices.Contains(l.bound.Outputs, v) {
		return nil
	}
	return only
}

// rowLayer describes a layer without its parameters.
func (l *lowering) rowLayer(n *graph.Node, first bool) (layer C.struct_nn_layer, ok bool) {
	x, y := n.In[0], n.Out
	if len(x.Shape) != 4 || len(y.Shape) != 4 || y.Shape[1]%outputsAtOnce != 0 {
		return layer, false
	}
	layer.in, layer.out = C.int(x.Shape[1]), C.int(y.Shape[1])
	var kernel, stride [2]int
	var pad graph.Pad
	switch op := n.Op.(type) {
	case graph.Pool:
		ok = op.Max && !first && l.arith.scales[x.Name] == l.arith.scales[y.Name]
		layer.kind, kernel, stride, pad = C.NN_LARGEST, op.Kernel, op.Stride, op.Pad
	case graph.Conv:
		w := n.In[1].Shape
		layer.kind, kernel, stride, pad = C.NN_BYTES, [2]int{w[2], w[3]}, op.Stride, op.Pad
		if first {
			layer.kind = C.NN_FLOATS
			if uses(C.dnnl_cpu_isa_avx512_core_bf16) {
				layer.kind = C.NN_PAIRS
			}
		}
		ok = l.rowConv(n, op) && (first && w[1] <= 4 || !first && w[1]%4 == 0 && tensor.Count(w) <= rowWeights && l.sums(n).bounded(0))
	}
	layer.before = [2]C.int{C.int(pad.Top), C.int(pad.Left)}
	for i := range 2 {
		layer.in_size[i], layer.out_size[i] = C.int(x.Shape[2+i]), C.int(y.Shape[2+i])
		layer.kernel[i], layer.stride[i] = C.int(kernel[i]), C.int(stride[i])
	}
	return layer, ok && kernel[0] <= C.NN_MOST_KERNEL
}

// rowConv reports whether a convolution does nothing but what our code does.
func (l *lowering) rowConv(n *graph.Node, op graph.Conv) bool {
	to, _ := l.arith.held(n)
	return to == uint8s && fixed(n, op) && op.Groups == 1 && op.Dilation == [2]int{1, 1} && !op.Residual && op.Act.Func == graph.ReLU
}

func (l *lowering) lowerRows(c chain, r C.struct_nn_rows) error {
	x, y := c[0].In[0], c[len(c)-1].Out
	src, err := l.inLayout(x, l.plain(x))
	if err != nil {
		return err
	}
	dst := l.room(l.tmp.channelsLast(y.Shape, uint8s))
	dst.scale = l.arith.scales[y.Name].Scale
	l.settle(y, dst)
	for i, n := range c {
		if err := l.rowParams(n, &r.layers[i]); err != nil {
			return err
		}
		l.done[n] = true
	}
	room := l.room(l.tmp.strided([]int{int(r.threads) * int(C.nn_rows_room(&r))}, []int{1}, uint8s))
	l.own(c, "bytes", C.NN_ROWS, kept(l.keep, []C.struct_nn_rows{r}), src, dst, room)
	return nil
}

// rowParams puts a layer's parameters into memory of C's.
func (l *lowering) rowParams(n *graph.Node, layer *C.struct_nn_layer) error {
	switch layer.kind {
	case C.NN_FLOATS, C.NN_PAIRS:
		weights, bias := l.firstParams(n, layer.kind == C.NN_PAIRS)
		layer.weights, layer.bias = kept(l.keep, weights), kept(l.keep, bias)
	case C.NN_BYTES:
		w, err := l.byteWeights(n.In[1])
		if err != nil {
			return err
		}
		s := l.sums(n)
		layer.weights, layer.bias, layer.factors = w, kept(l.keep, s.bias), (*C.float)(kept(l.keep, s.factors))
	}
	return nil
}

// A tap is a place in one row of a kernel. Its weight is 0 behind the last column.
type tap struct{ channel, column int }

// taps are the factors of each term of a kernel's row: see nn_terms.
func taps(channels, columns int, pairs bool) (terms [][]tap) {
	for c := 0; c < channels; c++ {
		switch {
		case !pairs:
			for k := range columns {
				terms = append(terms, []tap{{c, k}})
			}
		case c+1 < channels:
			for k := range columns {
				terms = append(terms, []tap{{c, k}, {c + 1, k}})
			}
			c++
		default:
			for k := 0; k < columns; k += 2 {
				terms = append(terms, []tap{{c, k}, {c, k + 1}})
			}
		}
	}
	return terms
}

// firstParams are the first layer's weights and bias in units of its result. Of
// pairs, each number is two of bfloat16.
func (l *lowering) firstParams(n *graph.Node, pairs bool) (weights []uint32, bias []float32) {
	_, scale := l.arith.held(n)
	w := l.weights.plain[n.In[1].Name]
	out, channels, rows, columns := w.Shape[0], w.Shape[1], w.Shape[2], w.Shape[3]
	of := func(o, row int, t tap) float32 {
		if t.column == columns {
			return 0
		}
		return w.Float32s()[((o*channels+t.channel)*rows+row)*columns+t.column] / scale
	}
	terms := taps(channels, columns, pairs)
	for block := 0; block < out; block += outputsAtOnce {
		for row := range rows {
			for _, t := range terms {
				for o := block; o < block+outputsAtOnce; o++ {
					v := math.Float32bits(of(o, row, t[0]))
					if pairs {
						v = uint32(bfloat16(of(o, row, t[0]))) | uint32(bfloat16(of(o, row, t[1])))<<16
					}
					weights = append(weights, v)
				}
			}
		}
	}
	bias = make([]float32, out)
	if n.Op.(graph.Conv).Bias {
		for o, b := range l.weights.plain[n.In[2].Name].Float32s() {
			bias[o] = b / scale
		}
	}
	return weights, bias
}

// byteWeights are rounded weights in memory of C's: see bytesOf.
func (l *lowering) byteWeights(w *graph.Value) (unsafe.Pointer, error) {
	out := w.Shape[0]
	each := tensor.Count(w.Shape[1:]) * outputsAtOnce
	packed := l.tmp.strided([]int{out / outputsAtOnce, each}, []int{each, 1}, int8s)
	mem, err := l.weights.get(w.Name, packed, packed, bytesOf)
	if err != nil {
		return nil, err
	}
	return mem.address(), nil
}
