package pdmodel

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/pptsn/pptsn/graph"
)

// DefaultVersion is the Paddle version that programs are written for, unless
// Meta says otherwise: 2.6.2, the last whose own format this is. Paddle
// Inference 2.0 to 3.x reads it.
const DefaultVersion = 2006002

// Meta is what a program holds beside its graph.
type Meta struct {
	// Version is the Paddle version to write; 0 is DefaultVersion.
	Version int64
	// Vars maps the graph's parameter names to the names that the variables
	// get; one that is absent keeps its name.
	Vars map[string]string
	// Frozen tells the parameters, by the graph's names, that training does
	// not change: the statistics of batch norm.
	Frozen map[string]bool
}

func (m Meta) variable(param string) string {
	if name, ok := m.Vars[param]; ok {
		return name
	}
	return param
}

// Build writes a graph down as a program, as Paddle's own export does: an
// operation becomes one operator or several, each output passes through an
// operator scale with factor 1, every result becomes a variable of the same
// name. The error is an UnsupportedError if Paddle has no operator that
// computes the same.
func Build(g *graph.Graph, m Meta) (*Program, error) {
	b := &builder{
		block: &Block{Parent: -1},
		vars:  map[*graph.Value]string{},
		used:  map[string]bool{"feed": true, "fetch": true},
	}
	if err := b.params(g, m); err != nil {
		return nil, err
	}
	for i, v := range g.Inputs {
		b.feed(i, v)
	}
	for i, n := range g.Nodes {
		if reason := b.node(n); reason != "" {
			b.unsupported = append(b.unsupported, UnsupportedOp{Index: i, Type: n.Op.Kind(), Reason: reason})
		}
	}
	if len(b.unsupported) > 0 {
		return nil, &UnsupportedError{Ops: b.unsupported}
	}
	for i, v := range g.Outputs {
		b.fetch(i, v, g)
	}
	b.finish()
	p := &Program{
		Blocks:     []*Block{b.block},
		Version:    cmp.Or(m.Version, DefaultVersion),
		OpVersions: opVersions(b.block),
		hasVersion: true, hasOpVersions: true,
	}
	return p, nil
}

// A builder collects the variables and operators of a block.
type builder struct {
	block       *Block
	vars        map[*graph.Value]string
	used        map[string]bool
	unsupported []UnsupportedOp
}

func (b *builder) params(g *graph.Graph, m Meta) error {
	for _, p := range g.Params {
		name := m.variable(p.Name)
		if b.used[name] || name == "" {
			return fmt.Errorf("pdmodel: parameter %s: the variable name %q is taken", p.Name, name)
		}
		b.used[name], b.vars[p] = true, name
		v := lodTensor(name, p.Shape)
		v.Persistable, v.Tensor.LoDLevel = new(true), nil
		b.block.Vars = append(b.block.Vars, v)
	}
	return nil
}

// feed declares input i.
func (b *builder) feed(i int, v *graph.Value) {
	name := b.unique(v.Name)
	b.vars[v] = name
	desc := lodTensor(name, v.Shape)
	desc.Persistable, desc.Tensor.LoDLevel = nil, nil
	b.block.Vars = append(b.block.Vars, desc)
	b.op("feed", slots{"X": {"feed"}}, slots{"Out": {name}}, attrs{"col": int32(i)})
}

// unscaled is what Paddle puts before each output.
var unscaled graph.Op = graph.Affine{Scale: 1}

// fetch declares output i. In a graph that was read from a program the scaling is
// there already.
func (b *builder) fetch(i int, v *graph.Value, g *graph.Graph) {
	name := b.vars[v]
	if !slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool { return n.Out == v && n.Op == unscaled }) {
		name = b.unique(fmt.Sprintf("save_infer_model/scale_%d.tmp_0", i))
		b.tensor(name, v.Shape)
		b.scale(b.vars[v], name, 1, 0)
	}
	b.op("fetch", slots{"X": {name}}, slots{"Out": {"fetch"}}, attrs{"col": int32(i)})
}

// finish sorts the variables as Paddle does: by name, the lists at the end.
func (b *builder) finish() {
	slices.SortFunc(b.block.Vars, func(x, y *Var) int { return cmp.Compare(x.Name, y.Name) })
	b.block.Vars = append(b.block.Vars,
		&Var{Name: "feed", Kind: FeedMinibatch, Persistable: new(true)},
		&Var{Name: "fetch", Kind: FetchList, Persistable: new(true)})
}

// tensor declares the variable of a result and returns its name.
func (b *builder) tensor(name string, shape []int) string {
	b.block.Vars = append(b.block.Vars, lodTensor(name, shape))
	return name
}

func lodTensor(name string, shape []int) *Var {
	dims := convert(shape, func(d int) int64 { return int64(d) })
	return &Var{Name: name, Kind: LoDTensor, Persistable: new(false),
		Tensor: &TensorDesc{Type: Float32, Dims: dims, LoDLevel: new(int32(0))}}
}

// unique takes a name that no other variable has.
func (b *builder) unique(name string) string {
	free := name
	for i := 2; b.used[free]; i++ {
		free = fmt.Sprintf("%s@%d", name, i)
	}
	b.used[free] = true
	return free
}

type (
	slots map[string][]string
	attrs map[string]any
)

// op adds an operator, with the attributes that each one has.
func (b *builder) op(typ string, in, out slots, a attrs) {
	all := attrs{"op_device": "", "op_namescope": "/", "op_role": int32(0), "op_role_var": []string{}}
	maps.Copy(all, a)
	op := &Op{Type: typ, In: in.sorted(), Out: out.sorted()}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		op.Attrs = append(op.Attrs, Attr{Name: name, Type: attrType(all[name]), Value: all[name]})
	}
	b.block.Ops = append(b.block.Ops, op)
}

func (s slots) sorted() []Slot {
	var list []Slot
	for _, name := range slices.Sorted(maps.Keys(s)) {
		list = append(list, Slot{Name: name, Args: s[name]})
	}
	return list
}

// attrType is the type that a value has as an attribute.
func attrType(value any) AttrType {
	switch value.(type) {
	case int32:
		return AttrInt
	case float32:
		return AttrFloat
	case string:
		return AttrString
	case []int32:
		return AttrInts
	case []string:
		return AttrStrings
	case bool:
		return AttrBool
	}
	panic(fmt.Sprintf("pdmodel: an attribute cannot be a %T", value))
}

// opVersions lists the revisions of a block's operators that are not the
// first, by REGISTER_OP_VERSION in paddle/fluid/operators.
func opVersions(b *Block) []OpVersion {
	revised := map[string]int32{"conv2d": 1, "depthwise_conv2d": 1,
		"elementwise_add": 1, "elementwise_sub": 1, "elementwise_mul": 1, "elementwise_div": 1}
	var list []OpVersion
	for _, typ := range slices.Sorted(maps.Keys(revised)) {
		if slices.ContainsFunc(b.Ops, func(op *Op) bool { return op.Type == typ }) {
			list = append(list, OpVersion{Op: typ, Version: revised[typ]})
		}
	}
	return list
}
