package onednn

// #include "pointwise16.h"
// #include "shim.h"
// #include "steps.h"
import "C"

import (
	"encoding/binary"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// pointwise16 reports whether there is code of our own for a convolution of
// bfloat16, and as what the result is kept.
func (l *lowering) pointwise16(n *graph.Node, op graph.Conv, t dtype) (to dtype, ok bool) {
	to, _ = l.arith.held(n)
	w := n.In[1].Shape
	fits := t == bfloat16s && single(w, op) && w[0]%outputsAtOnce == 0 && w[1]%2 == 0 && w[1] <= C.NN_MOST_CHANNELS16
	if op.Residual { // one that is held in floats, as a parameter is, would lose digits
		r := n.In[len(n.In)-1]
		fits = fits && !r.Param && l.at[r].desc.dtype() == bfloat16s
	}
	linear := op.Act.Func == graph.ReLU || op.Act.Func == graph.Identity
	return to, fits && linear && uses(C.dnnl_cpu_isa_avx512_core_bf16)
}

func (l *lowering) lowerPointwise16(n *graph.Node, op graph.Conv, to dtype) error {
	src, err := l.inLayout(n.In[0], l.tmp.channelsLast(n.In[0].Shape, bfloat16s))
	if err != nil {
		return err
	}
	held, dst, err := l.pointwiseResult(n, op, place{desc: l.tmp.channelsLast(n.Out.Shape, to)}, bfloat16s, src)
	if err != nil {
		return err
	}
	c, err := l.pointwise16Params(n, op)
	if err != nil {
		return err
	}
	if to == float32s {
		c.wide = 1
	}
	l.own(n, "bfloat16", C.NN_POINTWISE16, kept(l.keep, []C.struct_nn_pointwise16{c}), src, held, dst)
	return nil
}

// pointwise16Params are weights and bias in memory of C's.
func (l *lowering) pointwise16Params(n *graph.Node, op graph.Conv) (c C.struct_nn_pointwise16, err error) {
	w := n.In[1]
	out, in := w.Shape[0], w.Shape[1]
	packed := l.tmp.strided([]int{out / outputsAtOnce, outputsAtOnce * in}, []int{outputsAtOnce * in, 1}, bfloat16s)
	mem, err := l.weights.get(w.Name, packed, packed, pairsOf)
	if err != nil {
		return c, err
	}
	bias := make([]float32, out)
	if op.Bias {
		copy(bias, l.weights.plain[n.In[2].Name].Float32s())
	}
	c = C.struct_nn_pointwise16{
		pixels: pixels(n.Out), in: C.int(in), out: C.int(out), weights: (*C.ushort)(mem.address()), bias: (*C.float)(kept(l.keep, bias)),
	}
	if op.Residual {
		c.residual = 1
	}
	if op.Act.Func == graph.ReLU {
		c.relu = 1
	}
	return c, nil
}

// pairsOf are weights [O, I, 1, 1] in bfloat16 as [O/32, I/2, 32, 2].
func pairsOf(w *tensor.Dense) *tensor.Dense {
	rounded := bfloat16sOf(w)
	out, in := w.Shape[0], w.Shape[1]
	d := tensor.New(tensor.BFloat16, w.Shape...)
	for o := range out {
		for i := range in {
			v := binary.LittleEndian.Uint16(rounded.Data[2*(o*in+i):])
			block := (o/outputsAtOnce*in + i) / 2
			at := (block*outputsAtOnce+o%outputsAtOnce)*2 + i%2
			binary.LittleEndian.PutUint16(d.Data[2*at:], v)
		}
	}
	return d
}
