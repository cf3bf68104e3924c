package onednn

// #include "stem.h"
// #include "steps.h"
import "C"

import "github.com/pptsn/pptsn/graph"

// stem is a convolution of floats for which there is our own code: one whose
// few channels fill no vector, and whose result is held in unsigned integers.
func (l *lowering) stem(n *graph.Node, op graph.Conv) (s C.struct_nn_stem, ok bool) {
	x, w, y := n.In[0].Shape, n.In[1].Shape, n.Out.Shape
	plain := op.Groups == 1 && op.Dilation == [2]int{1, 1} && !op.Residual && op.Act.Func == graph.ReLU
	if to, _ := l.arith.held(n); to != uint8s || !plain || len(x) != 4 || x[1] > 4 || y[1]%outputsAtOnce != 0 || !vectorsOf16() {
		return s, false
	}
	s.pictures, s.channels, s.out = C.int(x[0]), C.int(x[1]), C.int(y[1])
	s.before = [2]C.int{C.int(op.Pad.Top), C.int(op.Pad.Left)}
	for i := range 2 {
		s.in_size[i], s.out_size[i] = C.int(x[2+i]), C.int(y[2+i])
		s.kernel[i], s.stride[i] = C.int(w[2+i]), C.int(op.Stride[i])
	}
	return s, C.nn_stem_lines(&s) <= C.NN_STEM_LINES
}

func (l *lowering) lowerStem(n *graph.Node, s C.struct_nn_stem) error {
	src, err := l.inLayout(n.In[0], l.plain(n.In[0]))
	if err != nil {
		return err
	}
	dst := l.room(l.tmp.channelsLast(n.Out.Shape, uint8s))
	_, dst.scale = l.arith.held(n)
	l.settle(n.Out, dst)
	l.stemParams(n, &s, dst.scale)
	l.own(n, "bytes", C.NN_STEM, kept(l.keep, []C.struct_nn_stem{s}), src, dst)
	return nil
}

// stemParams puts weights [O, I, KH, KW] as [I, KH, KW, O] and the bias, in units
// of scale, into memory of C's.
func (l *lowering) stemParams(n *graph.Node, s *C.struct_nn_stem, scale float32) {
	w := l.weights.plain[n.In[1].Name]
	out := w.Shape[0]
	taps := w.Len() / out
	weights, bias := make([]float32, w.Len()), make([]float32, out)
	for o := range out {
		for t := range taps {
			weights[t*out+o] = w.Float32s()[o*taps+t] / scale
		}
		if n.Op.(graph.Conv).Bias {
			bias[o] = l.weights.plain[n.In[2].Name].Float32s()[o] / scale
		}
	}
	s.weights, s.bias = (*C.float)(kept(l.keep, weights)), (*C.float)(kept(l.keep, bias))
}
