package onednn

import (
	"math"
	"slices"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// earlyWeights is how many weights a convolution of the early layers may have.
// Theirs are read again for each few rows, from a core's cache.
const earlyWeights = 160 << 10

// early is the value behind the body's early layers, nil if there is none: those
// whose pictures are large and whose weights are few. In bfloat16 they are faster a
// row for each thread at a time, whose pictures stay in the cores' caches, than
// on all rows at once, whose pictures go to memory and back: ResNet50-vd by 3 %
// (Zen 4, 2 threads). Bytes are half as large, and gain nothing; what follows the
// early layers wants many rows, for its weights.
func (m *machine) early(body *graph.Graph) (v *graph.Value) {
	if m.arith.precision != graph.BF16 {
		return nil
	}
	cuts := body.Cuts()
	for _, n := range body.Nodes {
		_, conv := n.Op.(graph.Conv)
		if conv && tensor.Count(n.In[1].Shape) > earlyWeights {
			return v
		}
		if conv && slices.Contains(cuts, n.Out) {
			v = n.Out
		}
	}
	return nil // all are
}

// compileEarly lowers a body for so many rows: the layers up to v a few rows at a
// time.
func (m *machine) compileEarly(body *graph.Graph, v *graph.Value, ins [][]int, rows, few int) (*program, error) {
	before, after := body.Cut(v)
	return m.lowered(func(l *lowering) error {
		j := &joint{lowering: l, buffer: &buffer{slot: -1, first: math.MaxInt}, rows: rows}
		l.buffers = append(l.buffers, j.buffer)
		for from := 0; from < rows; from += few {
			part, err := bindRows(before, ins, min(few, rows-from))
			if err != nil {
				return err
			}
			if err := j.part(part, from); err != nil {
				return err
			}
		}
		whole, err := bindRows(after, [][]int{v.Shape[1:]}, rows)
		if err != nil {
			return err
		}
		j.enter(whole)
		j.settle(whole.Inputs[0], j.place(whole.Inputs[0]))
		return j.graph(whole, len(ins))
	})
}

// A joint is where the early layers leave their results for those behind them.
type joint struct {
	*lowering
	buffer *buffer
	rows   int
}

// place is where a value lies whose rows are all in the joint.
func (j *joint) place(v *graph.Value) place {
	return place{buf: j.buffer, desc: j.tmp.channelsLast(v.Shape, bfloat16s)}
}

// part lowers the early layers for some rows, from one on.
func (j *joint) part(g *graph.Graph, from int) error {
	j.enter(g)
	v := g.Outputs[0]
	j.arith.pictures[v] = true
	for i, in := range g.Inputs {
		j.at[in] = place{buf: &buffer{slot: i}, desc: j.plain(in), offset: 4 * from * tensor.Count(in.Shape[1:])}
	}
	if err := j.nodes(g); err != nil {
		return err
	}
	want := j.place(v).desc
	at, err := j.inLayout(v, want)
	if err != nil {
		return err
	}
	if at.buf.size != want.size() { // of something larger before
		from := at
		at = j.room(want)
		if err := j.copy(v, from, at); err != nil {
			return err
		}
	}
	row := want.size() / v.Shape[0]
	at.buf.within, at.buf.offset = j.buffer, from*row
	j.buffer.size = j.rows * row
	j.buffer.first = min(j.buffer.first, at.buf.first)
	j.use(j.buffer)
	return nil
}
