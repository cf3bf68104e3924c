package onednn

// #include "maxpool.h"
// #include "steps.h"
import "C"

import "github.com/pptsn/pptsn/graph"

// bytesWindow is the window of a maximum pooling for which there is our own
// code on bytes, if there is.
func bytesWindow(n *graph.Node, p graph.Pool) (w C.struct_nn_window, ok bool) {
	in, out := n.In[0].Shape, n.Out.Shape
	if !p.Max || in[1]*in[3] > C.NN_WIDEST_ROW {
		return w, false
	}
	w.pictures, w.channels = C.int(in[0]), C.int(in[1])
	w.before = [2]C.int{C.int(p.Pad.Top), C.int(p.Pad.Left)}
	for i := range 2 {
		w.in[i], w.out[i] = C.int(in[2+i]), C.int(out[2+i])
		w.kernel[i], w.stride[i] = C.int(p.Kernel[i]), C.int(p.Stride[i])
	}
	return w, true
}

// lowerBytesPool takes the largest of bytes whose channels lie together.
func (l *lowering) lowerBytesPool(n *graph.Node, w C.struct_nn_window, src place, dst desc) {
	at := l.room(dst)
	at.scale = src.scale
	l.settle(n.Out, at)
	l.own(n, "bytes", C.NN_MAX_POOL, kept(l.keep, []C.struct_nn_window{w}), src, at)
}
