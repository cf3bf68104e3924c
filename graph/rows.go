package graph

import (
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// SplitRows cuts a bound graph where its rows meet. The body holds the nodes
// that compute each row of their result from the same row of their operands,
// the tail the others: of a network that sees T views of N videos, the
// backbone works on each of the N*T rows alone, and the tail joins them.
//
// In the body the rows are the first axis of every value and their number is
// Unknown, so it can be bound for, and run on, a few rows at a time: its inputs
// are those of g whose rows it reads, [R, ...] where g has [N, T, ...]. The
// tail reads the body's outputs under the names and shapes they have in g, and
// inputs of g that it needs itself. Its outputs are those of g. A body output
// that is also an output of g is an input of the tail that it returns as it is.
//
// Rows are counted along the leading axes of an input, see Rows. Among the
// possible numbers the largest is taken that leaves at least half of the work
// to the body. If there is none but one, body is nil and tail is g.
func SplitRows(g *Graph) (body, tail *Graph) {
	best := &rowSplit{}
	for _, rows := range rowCounts(g) {
		s := newRowSplit(g, rows)
		if rows > best.rows && 2*s.work >= totalWork(g) && s.work > 0 {
			best = s
		}
	}
	if best.rows == 0 {
		return nil, g
	}
	return best.body(), best.tail()
}

// Rows is the number of pictures in an input of that shape: the product of all
// axes but the last three (C, H, W), at least of the first.
func Rows(shape []int) int {
	return tensor.Count(shape[:leadingAxes(shape)])
}

func leadingAxes(shape []int) int { return min(max(1, len(shape)-3), len(shape)) }

// rowCounts are the numbers of rows above 1 in which the inputs can be seen.
func rowCounts(g *Graph) []int {
	var counts []int
	for _, in := range g.Inputs {
		rows := 1
		for _, d := range in.Shape[:leadingAxes(in.Shape)] {
			rows *= d
			if rows > 1 && !slices.Contains(counts, rows) {
				counts = append(counts, rows)
			}
		}
	}
	return counts
}

// A rowSplit is a graph seen as operations on a number of rows.
type rowSplit struct {
	g    *Graph
	rows int
	lead map[*Value]int // number of leading axes that make up the rows, for values in rows
	ops  map[*Node]Op   // the body's nodes, as operations on [rows, ...]
	work int64          // done in the body
}

func newRowSplit(g *Graph, rows int) *rowSplit {
	s := &rowSplit{g: g, rows: rows, lead: map[*Value]int{}, ops: map[*Node]Op{}}
	for _, in := range g.Inputs {
		if l := leadOf(in.Shape[:leadingAxes(in.Shape)], rows); l > 0 {
			s.lead[in] = l
		}
	}
	for _, n := range g.Nodes {
		op, ok := s.rowOp(n)
		if !ok {
			continue
		}
		s.ops[n] = op
		s.work += work(n)
		s.lead[n.Out] = leadOf(n.Out.Shape, rows)
	}
	return s
}

// leadOf is the number of leading axes with that many elements, 0 if none.
func leadOf(shape []int, rows int) int {
	n := 1
	for i, d := range shape {
		n *= d
		if n == rows {
			return i + 1
		}
	}
	return 0
}

// work is the cost of a node in operations, roughly.
func work(n *Node) int64 { return n.FLOPs() + int64(tensor.Count(n.Out.Shape)) }

func totalWork(g *Graph) int64 {
	var sum int64
	for _, n := range g.Nodes {
		sum += work(n)
	}
	return sum
}

// body holds the nodes in s.ops.
func (s *rowSplit) body() *Graph {
	b, values := New(s.g.Name+".rows"), map[*Value]*Value{}
	used := s.readBy(func(n *Node) bool { return s.ops[n] != nil })
	for _, in := range s.g.Inputs {
		if l := s.lead[in]; l > 0 && used[in] {
			values[in] = b.Input(in.Name, slices.Concat([]int{Unknown}, in.Shape[l:])...)
		}
	}
	copyParams(s.g, b, used, values)
	for _, n := range s.g.Nodes {
		if op := s.ops[n]; op != nil {
			values[n.Out] = b.Must(n.Out.Name, op, mapped(n.In, values)...)
		}
	}
	for _, v := range s.joints() {
		b.Output(values[v])
	}
	return b
}

// tail holds the other nodes.
func (s *rowSplit) tail() *Graph {
	t, values := New(s.g.Name+".tail"), map[*Value]*Value{}
	used := s.readBy(func(n *Node) bool { return s.ops[n] == nil })
	for _, v := range s.g.Outputs {
		used[v] = true
	}
	for _, v := range slices.Concat(s.g.Inputs, s.joints()) {
		if used[v] {
			values[v] = t.Input(v.Name, v.Shape...)
		}
	}
	copyParams(s.g, t, used, values)
	for _, n := range s.g.Nodes {
		if s.ops[n] == nil {
			values[n.Out] = t.Must(n.Out.Name, n.Op, mapped(n.In, values)...)
		}
	}
	t.Output(mapped(s.g.Outputs, values)...)
	return t
}

// joints are the values that the body computes and the tail reads or returns.
func (s *rowSplit) joints() []*Value {
	used := s.readBy(func(n *Node) bool { return s.ops[n] == nil })
	var joints []*Value
	for _, n := range s.g.Nodes {
		if s.ops[n] != nil && (used[n.Out] || slices.Contains(s.g.Outputs, n.Out)) {
			joints = append(joints, n.Out)
		}
	}
	return joints
}

func (s *rowSplit) readBy(node func(*Node) bool) map[*Value]bool {
	read := map[*Value]bool{}
	for _, n := range s.g.Nodes {
		if node(n) {
			for _, v := range n.In {
				read[v] = true
			}
		}
	}
	return read
}

func copyParams(from, to *Graph, used map[*Value]bool, values map[*Value]*Value) {
	for _, p := range from.Params {
		if used[p] {
			values[p] = to.Param(p.Name, p.Shape...)
		}
	}
}

func mapped(in []*Value, values map[*Value]*Value) []*Value {
	out := make([]*Value, len(in))
	for i, v := range in {
		out[i] = values[v]
	}
	return out
}
