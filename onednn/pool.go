package onednn

// #include "pool.h"
// #include "steps.h"
import "C"

import "github.com/pptsn/pptsn/graph"

// bytesPool is our own code on bytes for a pooling, and its window, if there is
// some.
func bytesPool(n *graph.Node, p graph.Pool) (code C.enum_nn_code, w C.struct_nn_window, ok bool) {
	in, out := n.In[0].Shape, n.Out.Shape
	w.pictures, w.channels = C.int(in[0]), C.int(in[1])
	w.before = [2]C.int{C.int(p.Pad.Top), C.int(p.Pad.Left)}
	for i := range 2 {
		w.in[i], w.out[i] = C.int(in[2+i]), C.int(out[2+i])
		w.kernel[i], w.stride[i] = C.int(p.Kernel[i]), C.int(p.Stride[i])
	}
	if p.Max {
		return C.NN_MAX_POOL, w, in[1]*in[3] <= C.NN_WIDEST_ROW
	}
	two := [2]int{2, 2}
	halves := p.Kernel == two && p.Stride == two && p.Pad == graph.Pad{} && 2*out[2] <= in[2] && 2*out[3] <= in[3]
	return C.NN_MEAN_POOL, w, halves && in[1]%outputsAtOnce == 0 && vectorsOf16()
}

// lowerBytesPool pools bytes whose channels lie together.
func (l *lowering) lowerBytesPool(n *graph.Node, code C.enum_nn_code, w C.struct_nn_window, src place, dst desc) {
	at := l.room(dst)
	at.scale = src.scale
	l.settle(n.Out, at)
	l.own(n, "bytes", code, kept(l.keep, []C.struct_nn_window{w}), src, at)
}
