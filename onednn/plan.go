package onednn

import (
	"slices"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// A plan computes inputs of certain shapes: the body a few rows at a time,
// then the tail on the results of all rows (see graph.SplitRows).
//
// All numbers of a run but the weights lie in one piece of memory, in which
// the plan gives each a place: bytes from the start.
type plan struct {
	key    string
	counts []int            // rows of each chunk
	parts  map[int]*program // the body for chunks of so many rows
	tail   *program
	whole  []stream // inputs that the tail reads; each of their rows is a view
	body   []stream // inputs that the body reads
	joints []stream // results of the body, all rows
	slots  []int    // places of the tail's inputs and outputs
	shapes [][]int  // of the tail's outputs
	arena  int      // place of the programs' own numbers
	size   int
}

// A stream is a value that consists of rows.
type stream struct {
	input int    // which of the graph's inputs, if it is one
	row   int    // numbers in a row
	views int    // views in a row of the body's inputs; views in all of the tail's
	at    [2]int // places; the second is for inputs that are filled while the first is read
	all   bool   // all rows lie at the first place, else those of one chunk
}

func (m *machine) newPlan(g *graph.Graph) (*plan, error) {
	p := &plan{parts: map[int]*program{}}
	body, tail := graph.SplitRows(g)
	err := p.addTail(m, g, tail)
	if err == nil && body != nil {
		err = p.addBody(m, g, body, tail)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	p.arena = p.size
	own := p.tail.size
	for _, part := range p.parts {
		own = max(own, part.size)
	}
	p.size += own
	return p, nil
}

// place reserves room for n numbers.
func (p *plan) place(n int) int {
	at := p.size
	p.size += (4*n + alignment - 1) / alignment * alignment
	return at
}

// addTail makes room for the tail's operands and results.
func (p *plan) addTail(m *machine, g, tail *graph.Graph) (err error) {
	if p.tail, err = m.compile(tail); err != nil {
		return err
	}
	for _, v := range slices.Concat(tail.Inputs, tail.Outputs) {
		p.slots = append(p.slots, p.place(tensor.Count(v.Shape)))
	}
	for _, v := range tail.Outputs {
		p.shapes = append(p.shapes, v.Shape)
	}
	for i, v := range tail.Inputs {
		input := indexOf(g.Inputs, v.Name)
		if input < 0 {
			continue // computed by the body
		}
		views := graph.Rows(v.Shape)
		p.whole = append(p.whole, stream{input: input, row: tensor.Count(v.Shape) / views, views: views, at: [2]int{p.slots[i]}})
	}
	return nil
}

// addBody compiles the body for chunks of rows, and makes room for one chunk
// of inputs that is read and one that is filled.
func (p *plan) addBody(m *machine, g, body, tail *graph.Graph) (err error) {
	rows := 0
	var ins [][]int // shapes of the body's inputs, without the rows
	for _, v := range body.Inputs {
		input := indexOf(g.Inputs, v.Name)
		shape := g.Inputs[input].Shape
		s := stream{input: input, row: tensor.Count(v.Shape[1:])}
		rows = tensor.Count(shape) / s.row
		s.views = graph.Rows(shape) / rows
		if i := indexOf(tail.Inputs, v.Name); i >= 0 {
			s.at[0], s.all = p.slots[i], true
		}
		p.body = append(p.body, s)
		ins = append(ins, v.Shape[1:])
	}
	p.counts = chunks(rows, m.chunk)
	for i, s := range p.body {
		if !s.all {
			p.body[i].at = [2]int{p.place(p.counts[0] * s.row), p.place(p.counts[0] * s.row)}
		}
	}
	for _, v := range body.Outputs {
		i := indexOf(tail.Inputs, v.Name)
		row := tensor.Count(tail.Inputs[i].Shape) / rows
		p.joints = append(p.joints, stream{row: row, at: [2]int{p.slots[i]}, all: true})
	}
	for _, n := range p.counts {
		if p.parts[n] != nil {
			continue
		}
		if p.parts[n], err = compileRows(m, body, ins, n); err != nil {
			return err
		}
	}
	return nil
}

func compileRows(m *machine, body *graph.Graph, ins [][]int, rows int) (*program, error) {
	if v := m.early(body); v != nil && rows > m.threads {
		return m.compileEarly(body, v, ins, rows, m.threads)
	}
	bound, err := bindRows(body, ins, rows)
	if err != nil {
		return nil, err
	}
	return m.compile(bound)
}

// bindRows binds a graph to so many rows of inputs, of which ins are the shapes of
// a row.
func bindRows(g *graph.Graph, ins [][]int, rows int) (*graph.Graph, error) {
	shapes := make([][]int, len(ins))
	for i, shape := range ins {
		shapes[i] = slices.Concat([]int{rows}, shape)
	}
	return g.Bind(shapes...)
}

// chunks shares rows among as few chunks of at most size rows as there can be,
// as evenly as possible, the larger ones first.
func chunks(rows, size int) []int {
	n := (rows + size - 1) / size
	counts := make([]int, n)
	for i := range counts {
		counts[i] = rows / n
		if i < rows%n {
			counts[i]++
		}
	}
	return counts
}

func indexOf(values []*graph.Value, name string) int {
	return slices.IndexFunc(values, func(v *graph.Value) bool { return v.Name == name })
}

func (p *plan) close() {
	if p.tail != nil {
		p.tail.close()
	}
	for _, part := range p.parts {
		if part != nil {
			part.close()
		}
	}
}
