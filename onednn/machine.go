package onednn

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/pptsn/pptsn/graph"
)

// plansKept is how many input shapes an engine remembers.
const plansKept = 8

// A machine is an engine's part that lives on a thread of its own.
type machine struct {
	device
	scope   scope
	graph   *graph.Graph // optimised
	weights *store
	arith   arithmetic
	chunk   int // rows at once
	threads int
	plans   []*plan // the latest used first

	space     unsafe.Pointer // all numbers of a run but the weights
	spaceSize int
}

func newMachine(g *graph.Graph, w graph.Weights, o Options) (*machine, error) {
	m := &machine{graph: g, chunk: o.Chunk, threads: o.Threads, arith: arithmetic{precision: o.Precision, scales: o.Scales}}
	var err error
	if m.device, err = newDevice(&m.scope, o.Threads); err != nil {
		m.scope.close()
		return nil, err
	}
	m.weights = newStore(m.device, w)
	m.scope.add(m.weights.close)
	return m, nil
}

func (m *machine) close() {
	for _, p := range m.plans {
		p.close()
	}
	release(m.space)
	m.scope.close()
}

// plan returns how inputs of these shapes are computed.
func (m *machine) plan(shapes [][]int) (*plan, error) {
	key := fmt.Sprint(shapes)
	i := slices.IndexFunc(m.plans, func(p *plan) bool { return p.key == key })
	if i >= 0 {
		p := m.plans[i]
		m.plans = slices.Insert(slices.Delete(m.plans, i, i+1), 0, p)
		return p, nil
	}
	bound, err := m.graph.Bind(shapes...)
	if err != nil {
		return nil, err
	}
	p, err := m.newPlan(bound)
	if err != nil {
		return nil, err
	}
	p.key = key
	m.plans = slices.Insert(m.plans, 0, p)
	if len(m.plans) > plansKept {
		m.plans[plansKept].close()
		m.plans = m.plans[:plansKept]
	}
	return p, nil
}

// reserve makes room for a run of that many bytes.
func (m *machine) reserve(size int) error {
	if size <= m.spaceSize {
		return nil
	}
	release(m.space)
	m.space, m.spaceSize = nil, 0
	p, err := alloc(size)
	if err != nil {
		return err
	}
	m.space, m.spaceSize = p, size
	return nil
}
