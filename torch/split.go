package torch

import (
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// A split is a network bound to the shape of its input, cut so that it can be
// computed a few rows at a time (see graph.SplitRows).
type split struct {
	body    *Network // reads pictures
	tail    *Network // reads the body's outputs for all rows; nil: the body is all there is, and has one row
	rows    int
	views   int   // in a row
	row     []int // shape of a row of the body's input; where there is no tail, of the whole input
	h, w    int
	outputs []int     // for each input of the tail, which of the body's outputs it is
	pieces  []outline // of the tail's inputs
}

// An outline is a value's shape.
type outline []int

// split returns how an input of that shape is computed. It is called on the
// session's thread.
func (e *Engine) split(shape []int) (*split, error) {
	key := fmt.Sprint(shape)
	if sp, ok := e.splits[key]; ok {
		return sp, nil
	}
	g, err := e.net.graph.Bind(shape)
	if err != nil {
		return nil, err
	}
	if len(e.splits) >= plansKept {
		clear(e.splits)
	}
	sp := newSplit(e.net, g)
	e.splits[key] = sp
	return sp, nil
}

func newSplit(net *Network, g *graph.Graph) *split {
	shape := g.Inputs[0].Shape
	views := graph.Rows(shape)
	sp := &split{body: net.of(g), rows: 1, views: views, row: shape, h: shape[len(shape)-2], w: shape[len(shape)-1]}
	body, tail := graph.SplitRows(g)
	if body == nil || len(body.Inputs) != 1 {
		return sp
	}
	var outputs []int
	var pieces []outline
	for _, in := range tail.Inputs {
		i := slices.IndexFunc(body.Outputs, func(v *graph.Value) bool { return v.Name == in.Name })
		if i < 0 {
			return sp // the tail reads pictures: all at once
		}
		outputs, pieces = append(outputs, i), append(pieces, in.Shape)
	}
	sp.body, sp.tail, sp.outputs, sp.pieces = net.of(body), net.of(tail), outputs, pieces
	sp.row = body.Inputs[0].Shape[1:]
	sp.views = graph.Rows(append([]int{1}, sp.row...))
	sp.rows = views / sp.views
	return sp
}

// of is a part of the network, with its parameters.
func (n *Network) of(g *graph.Graph) *Network {
	return &Network{session: n.session, graph: g, dtype: n.dtype, params: n.params, plans: map[string]*plan{}}
}

// input is the shape of the body's input for so many rows.
func (sp *split) input(rows int) []int {
	if sp.tail == nil {
		return sp.row
	}
	return append([]int{rows}, sp.row...)
}

// bytes is the size of the pixels of so many rows.
func (sp *split) bytes(rows int) int { return rows * sp.views * 3 * sp.h * sp.w }

// most is how many rows are computed at a time, if so many views may be: in
// pieces as equal as can be, so that few shapes occur.
func (sp *split) most(views int) int {
	n := max(1, views/sp.views)
	pieces := (sp.rows + n - 1) / n
	return (sp.rows + pieces - 1) / pieces
}
