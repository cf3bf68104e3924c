package onednn

// #include "steps.h"
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// A lowering turns a bound graph into a program, node by node.
type lowering struct {
	maker
	weights *store
	prog    *program
	at      map[*graph.Value]place   // where each value lies
	forms   map[*graph.Value][]place // copies of values in other layouts
	buffers []*buffer                // in the arena
	blocks  bool                     // convolutions work on blocks of channels
	bound   *graph.Graph             // the graph that is lowered, or the part that is
	done    map[*graph.Node]bool     // computed together with an earlier node
	arith   arithmetic
	last    map[*graph.Value]int // the last node that reads a value
	node    int                  // the node being lowered
}

// A place is where an operand lies, and how.
type place struct {
	buf    *buffer
	desc   desc
	scale  float32 // what its integers are multiples of; 0 for floats
	offset int     // bytes
	fixed  *memory // of a parameter, which has no buffer
}

// An arg is an operand of a primitive that is not placed yet.
type arg struct {
	role role
	at   place
}

// compile lowers a bound graph.
func (m *machine) compile(g *graph.Graph) (*program, error) {
	return m.lowered(func(l *lowering) error {
		l.enter(g)
		for i, v := range g.Inputs {
			l.at[v] = place{buf: &buffer{slot: i}, desc: l.plain(v)}
		}
		return l.graph(g, len(g.Inputs))
	})
}

// lowered is the program that steps were emitted for.
func (m *machine) lowered(emit func(*lowering) error) (*program, error) {
	p := &program{}
	var tmp scope
	defer tmp.close()
	l := &lowering{
		maker: maker{m.device, &p.scope, &tmp}, weights: m.weights, prog: p,
		at: map[*graph.Value]place{}, forms: map[*graph.Value][]place{}, done: map[*graph.Node]bool{}, arith: m.arith,
	}
	if err := emit(l); err != nil {
		p.close()
		return nil, err
	}
	p.size = arrange(l.buffers)
	for _, s := range p.steps {
		p.code = append(p.code, s.code)
	}
	return p, nil
}

// enter begins with a graph.
func (l *lowering) enter(g *graph.Graph) {
	l.bound, l.last, l.blocks, l.arith = g, lastReaders(g), wholeBlocks(g), l.arith.of(g)
}

// lastReaders is the index of the last node that reads each value; an output
// is read after all nodes.
func lastReaders(g *graph.Graph) map[*graph.Value]int {
	last := map[*graph.Value]int{}
	for i, n := range g.Nodes {
		for _, v := range n.In {
			last[v] = i
		}
	}
	for _, v := range g.Outputs {
		last[v] = len(g.Nodes)
	}
	return last
}

// graph lowers all nodes, and leaves the outputs in places from slot on.
func (l *lowering) graph(g *graph.Graph, slot int) error {
	if err := l.nodes(g); err != nil {
		return err
	}
	for i, v := range g.Outputs {
		l.node = len(g.Nodes)
		out := place{buf: &buffer{slot: slot + i}, desc: l.plain(v)}
		from, err := l.natural(v)
		if err == nil {
			err = l.copy(v, from, out)
		}
		if err != nil {
			return fmt.Errorf("output %s: %w", v, err)
		}
	}
	return nil
}

func (l *lowering) nodes(g *graph.Graph) error {
	for i, n := range g.Nodes {
		if l.done[n] {
			continue
		}
		l.node = i
		err := l.native(n)
		if errors.Is(err, errUnimplemented) {
			err = l.evaluated(n)
		}
		if err != nil {
			return fmt.Errorf("layer %s: %w", n, err)
		}
	}
	return nil
}

// native lowers a node to primitives; the error is errUnimplemented if there
// are none.
func (l *lowering) native(n *graph.Node) error {
	switch op := n.Op.(type) {
	case graph.Conv:
		return l.lowerConv(n, op)
	case graph.Pool:
		return l.lowerPool(n, op)
	case graph.Linear:
		return l.lowerLinear(n, op)
	case graph.BatchNorm:
		return l.lowerBatchNorm(n, op)
	case graph.Activate:
		return l.lowerFunctions(n, activation(op.Act))
	case graph.Affine:
		return l.lowerFunctions(n, []postOp{affine(op.Scale, op.Shift)})
	case graph.Binary:
		return l.lowerBinary(n, op)
	case graph.Softmax:
		return l.lowerSoftmax(n, op)
	case graph.Mean:
		return l.lowerMean(n, op)
	case graph.Concat:
		return l.lowerConcat(n, op)
	case graph.Transpose:
		return l.lowerTranspose(n, op)
	case graph.Slice:
		return l.lowerSlice(n, op)
	case graph.Reshape, graph.Dropout:
		return l.lowerReshape(n)
	}
	return errUnimplemented
}

// evaluated lowers a node to the graph's evaluator.
func (l *lowering) evaluated(n *graph.Node) error {
	in, params := make([]place, len(n.In)), make([]*tensor.Dense, len(n.In))
	shapes := make([][]int, len(n.In))
	for i, v := range n.In {
		shapes[i] = v.Shape
		if v.Param {
			params[i] = l.weights.plain[v.Name]
			continue
		}
		at, err := l.inLayout(v, l.plain(v))
		if err != nil {
			return err
		}
		in[i] = at
	}
	out := l.result(n.Out, l.plain(n.Out))
	for _, at := range append(in, out) {
		l.use(at.buf)
	}
	l.prog.steps = append(l.prog.steps, step{layer: n.String(), flops: n.FLOPs(), plain: evaluate(n.Op, in, shapes, params, out)})
	return nil
}

// plain is a value's row-major layout.
func (l *lowering) plain(v *graph.Value) desc { return l.tmp.plain(dims(v)) }

// open is a layout of a value that a primitive shall choose.
func (l *lowering) open(v *graph.Value) desc { return l.tmp.open(dims(v), float32s) }

// dims are a value's dimensions; a scalar is an array of one number, since
// oneDNN has no scalars.
func dims(v *graph.Value) []int {
	if len(v.Shape) == 0 {
		return []int{1}
	}
	return v.Shape
}

// natural is a value where it lies, a parameter or what is no float32 in plain
// layout.
func (l *lowering) natural(v *graph.Value) (place, error) {
	if v.Param || l.at[v].desc.dtype() != float32s {
		return l.inLayout(v, l.plain(v))
	}
	return l.at[v], nil
}

// inLayout is a value in a layout; it is reordered, once, if it lies otherwise.
func (l *lowering) inLayout(v *graph.Value, want desc) (place, error) {
	if v.Param {
		return l.param(v, l.plain(v), want)
	}
	for _, at := range append([]place{l.at[v]}, l.forms[v]...) {
		if at.desc.equal(want) {
			return at, nil
		}
	}
	to := l.room(want)
	if want.dtype() == int8s || want.dtype() == uint8s {
		to.scale = l.arith.scales[v.Name].Scale
	}
	to.buf.values = []*graph.Value{v}
	l.forms[v] = append(l.forms[v], to)
	return to, l.copy(v, l.at[v], to)
}

// viewed is a value whose plain memory is read as from, in another layout. The
// dimensions of from may be others than the value's.
func (l *lowering) viewed(v *graph.Value, from, want desc) (place, error) {
	if v.Param {
		return l.param(v, from, want)
	}
	at, err := l.inLayout(v, l.plain(v))
	if err != nil {
		return at, err
	}
	at.desc = from
	if from.equal(want) {
		return at, nil
	}
	to := l.room(want)
	return to, l.copy(v, at, to)
}

func (l *lowering) param(v *graph.Value, from, want desc) (place, error) {
	mem, err := l.weights.get(v.Name, from, want, nil)
	return place{desc: want, fixed: &mem}, err
}

// result makes room for a node's result and remembers that it lies there.
func (l *lowering) result(v *graph.Value, d desc) place {
	at := l.room(d)
	l.settle(v, at)
	return at
}

// settle remembers where a value lies.
func (l *lowering) settle(v *graph.Value, at place) {
	at.buf.values = append(at.buf.values, v)
	l.at[v] = at
}

// room is a new buffer of the arena.
func (l *lowering) room(d desc) place {
	b := &buffer{slot: -1, size: d.size(), first: len(l.prog.steps), last: len(l.prog.steps)}
	l.buffers = append(l.buffers, b)
	return place{buf: b, desc: d}
}

// dies reports whether nothing reads a buffer after the present node. What
// lies in inputs is not ours to change.
func (l *lowering) dies(b *buffer) bool {
	return b != nil && b.slot < 0 && !slices.ContainsFunc(b.values, func(v *graph.Value) bool { return l.last[v] > l.node })
}

// copy emits a reorder on behalf of a node or value.
func (l *lowering) copy(layer fmt.Stringer, from, to place) error {
	var q *scaling
	if from.scale != to.scale {
		q = &scaling{src: cmp.Or(from.scale, 1), dst: cmp.Or(to.scale, 1)}
	}
	p, err := l.reorder(from.desc, to.desc, q)
	if err != nil {
		return err
	}
	l.emit(layer, p, arg{argSource, from}, arg{argDest, to})
	return nil
}

// emit appends a primitive to the program.
func (l *lowering) emit(layer fmt.Stringer, p primitive, args ...arg) {
	if d := p.scratch(l.tmp); d.size() > 0 {
		args = append(args, arg{argScratch, l.room(d)})
	}
	operands := make([]operand, len(args))
	for i, a := range args {
		operands[i] = operand{a.role, l.memoryAt(a.at)}
	}
	s := step{layer: layer.String(), kernel: p.kernel(), code: newCall(l.keep, p, append(operands, p.scales...))}
	if n, ok := layer.(*graph.Node); ok && p.call != "reorder" {
		s.flops = n.FLOPs()
	}
	l.prog.steps = append(l.prog.steps, s)
}

// A layer is a node, or some that are computed together.
type layer interface {
	fmt.Stringer
	FLOPs() int64
}

// own appends a step of our own code; what is its struct, in memory of C's.
func (l *lowering) own(n layer, kernel string, code C.enum_nn_code, what unsafe.Pointer, operands ...place) {
	at := kept(l.keep, make([]uintptr, len(operands)))
	for i, o := range operands {
		l.use(o.buf)
		spot := (*uintptr)(unsafe.Add(at, i*int(unsafe.Sizeof(uintptr(0)))))
		l.prog.views = append(l.prog.views, view{spot: spot, buf: o.buf, offset: o.offset})
	}
	c := C.struct_nn_step{code: code, what: what, at: (*unsafe.Pointer)(at)}
	l.prog.steps = append(l.prog.steps, step{layer: n.String(), kernel: kernel, flops: n.FLOPs(), code: c})
}

func (l *lowering) memoryAt(at place) memory {
	if at.fixed != nil {
		return *at.fixed
	}
	l.use(at.buf)
	m := l.memory(l.keep, at.desc)
	l.prog.views = append(l.prog.views, view{mem: m, buf: at.buf, offset: at.offset})
	return m
}

// use keeps a buffer until the step that is emitted next.
func (l *lowering) use(b *buffer) {
	if b != nil {
		b.last = len(l.prog.steps)
	}
}
