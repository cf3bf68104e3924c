package onednn

import (
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// lowerLinear sees x as [M, I]; the result is plain.
func (l *lowering) lowerLinear(n *graph.Node, op graph.Linear) error {
	x, w := n.In[0], n.In[1]
	from, to := x.Shape[len(x.Shape)-1], n.Out.Shape[len(n.Out.Shape)-1]
	rows := tensor.Count(x.Shape) / from
	matrix, read := l.tmp.plain([]int{rows, from}), l.tmp.plain([]int{to, from})
	if !op.Transposed {
		read = l.tmp.strided([]int{to, from}, []int{1, to}, float32s) // oneDNN wants [O, I]
	}
	var biasDesc desc
	if op.Bias {
		biasDesc = l.plain(n.In[2])
	}
	p, err := l.innerProduct(matrix, l.tmp.open([]int{to, from}, float32s), biasDesc, l.tmp.plain([]int{rows, to}))
	if err != nil {
		return err
	}
	src, err := l.viewed(x, matrix, matrix)
	if err != nil {
		return err
	}
	weights, err := l.viewed(w, read, p.weights(l.tmp))
	if err != nil {
		return err
	}
	args := []arg{{argSource, src}, {argWeights, weights}}
	if op.Bias {
		b, err := l.inLayout(n.In[2], biasDesc)
		if err != nil {
			return err
		}
		args = append(args, arg{argBias, b})
	}
	dst := l.result(n.Out, l.plain(n.Out))
	dst.desc = p.dest(l.tmp)
	l.emit(n, p, append(args, arg{argDest, dst})...)
	return nil
}
