package pdmodel

import (
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// maxRank is how many axes a tensor of Paddle can have.
const maxRank = 9

// Graph translates the program. Parameters keep their variables' names, other
// values too where nothing overwrites them; dropout and batch norm are as in
// inference; every float type is computed in float32. If any operator, or use
// of one, has no translation the error is an UnsupportedError that lists all
// of them.
//
// Attributes that only tell where or how fast to compute are ignored, and so
// are the hints of quantisation tools on operators that still compute with
// float parameters and scales of 1: such a program gives the results of its
// float model.
func (p *Program) Graph() (*graph.Graph, error) {
	t := &translator{
		g:       graph.New("pdmodel"),
		vars:    p.Blocks[0].byName(),
		values:  map[string]*graph.Value{},
		missing: map[string]bool{},
		again:   map[string]int{},
	}
	if err := t.inputs(p); err != nil {
		return nil, err
	}
	for i, op := range p.Blocks[0].Ops {
		t.op = op
		if reason, ok := t.translate(); !ok {
			t.unsupported = append(t.unsupported, UnsupportedOp{Index: i, Type: op.Type, Reason: reason})
		}
	}
	for i, b := range p.Blocks[1:] {
		t.scan(i+1, b)
	}
	if len(t.unsupported) > 0 {
		return nil, &UnsupportedError{Ops: t.unsupported}
	}
	return t.g, t.outputs(p)
}

// A translator turns operators into nodes, one after another. Within an
// operator it gives up by panicking with a refusal, which ends in translate.
type translator struct {
	g           *graph.Graph
	vars        map[string]*Var
	values      map[string]*graph.Value // what each variable holds by now
	missing     map[string]bool         // variables that an unsupported operator was to compute
	again       map[string]int          // how often a name was taken
	unsupported []UnsupportedOp
	op          *Op // being translated
}

// A refusal is why an operator cannot be translated.
type refusal string

func refuse(format string, args ...any) { panic(refusal(fmt.Sprintf(format, args...))) }

func (t *translator) inputs(p *Program) error {
	for _, in := range p.Inputs() {
		if !in.Type.isFloat() {
			return &UnsupportedError{Msg: fmt.Sprintf("input %s: only float inputs are supported", in)}
		}
		if t.g.Has(in.Name) || len(in.Shape) > maxRank || slices.ContainsFunc(in.Shape, func(d int) bool { return d < graph.Unknown || d == 0 }) {
			return &UnsupportedError{Msg: fmt.Sprintf("input %s: no such shape, or fed twice", in)}
		}
		t.values[in.Name] = t.g.Input(in.Name, in.Shape...)
	}
	if len(t.g.Inputs) == 0 {
		return &UnsupportedError{Msg: "the program has no feed operator: it was not exported for inference"}
	}
	return nil
}

func (t *translator) outputs(p *Program) error {
	for _, out := range p.Outputs() {
		v, ok := t.values[out.Name]
		if !ok {
			return &UnsupportedError{Msg: fmt.Sprintf("nothing computes output %s", out.Name)}
		}
		t.g.Output(v)
	}
	if len(t.g.Outputs) == 0 {
		return &UnsupportedError{Msg: "the program has no fetch operator: it was not exported for inference"}
	}
	return nil
}

// translate adds the nodes of one operator. An operator that needs the result
// of an unsupported one is passed over.
func (t *translator) translate() (reason string, ok bool) {
	op := t.op
	f := t.translation(op.Type)
	if f == nil {
		t.lose(op)
		return "", false
	}
	for _, s := range op.In {
		if slices.ContainsFunc(s.Args, func(name string) bool { return t.missing[name] }) {
			t.lose(op)
			return "", true
		}
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case refusal:
			t.lose(op)
			reason, ok = string(r), false
		default:
			panic(r)
		}
	}()
	refuseQuantised(op)
	f()
	return "", true
}

// lose marks what an operator was to compute.
func (t *translator) lose(op *Op) {
	for _, s := range op.Out {
		for _, name := range s.Args {
			t.missing[name] = true
		}
	}
}

// scan lists the operators of an inner block that have no translation.
func (t *translator) scan(block int, b *Block) {
	for i, op := range b.Ops {
		if t.translation(op.Type) == nil {
			t.unsupported = append(t.unsupported, UnsupportedOp{Block: block, Index: i, Type: op.Type})
		}
	}
}

// translation is the method that translates operators of a type, nil if there
// is none.
func (t *translator) translation(typ string) func() {
	switch typ {
	case "feed", "fetch":
		return func() {} // inputs and outputs
	case "conv2d", "depthwise_conv2d", "conv2d_fusion", "fused_conv2d", "fused_conv2d_add_act":
		return t.conv
	case "batch_norm":
		return t.batchNorm
	case "relu", "relu6", "hard_swish", "hard_sigmoid", "sigmoid":
		return t.activation
	case "swish", "silu":
		return t.swish
	case "pool2d":
		return t.pool
	case "elementwise_add", "elementwise_sub", "elementwise_mul", "elementwise_div",
		"fused_elementwise_add", "fused_elementwise_sub", "fused_elementwise_mul", "fused_elementwise_div":
		return t.elementwise
	case "matmul", "matmul_v2":
		return t.matmul
	case "mul":
		return t.mul
	case "fc":
		return t.fullyConnected
	case "reduce_mean", "mean":
		return t.mean
	case "softmax":
		return t.softmax
	case "reshape", "reshape2":
		return t.reshape
	case "flatten", "flatten2":
		return t.flatten
	case "flatten_contiguous_range":
		return t.flattenRange
	case "squeeze", "squeeze2":
		return t.squeeze
	case "unsqueeze", "unsqueeze2":
		return t.unsqueeze
	case "transpose", "transpose2":
		return t.transpose
	case "concat":
		return t.concat
	case "slice":
		return t.slice
	case "dropout":
		return t.dropout
	case "scale":
		return t.scale
	case "temporal_shift":
		return t.temporalShift
	case "assign":
		return t.assign
	case "cast":
		return t.cast
	}
	return nil
}

// in is the only operand of a slot.
func (t *translator) in(slot string) *graph.Value {
	names := args(t.op.In, slot)
	if len(names) != 1 {
		refuse("%d variables for %s, want 1", len(names), slot)
	}
	return t.value(names[0])
}

// optional is the operand of a slot, nil if there is none.
func (t *translator) optional(slot string) *graph.Value {
	if len(args(t.op.In, slot)) == 0 {
		return nil
	}
	return t.in(slot)
}

// param is the operand of a slot, which must be a parameter.
func (t *translator) param(slot string) *graph.Value {
	v := t.in(slot)
	if !v.Param {
		refuse("%s is computed, not a parameter", slot)
	}
	return v
}

// absent refuses operands that take the place of attributes.
func (t *translator) absent(slots ...string) {
	for _, s := range slots {
		if len(args(t.op.In, s)) > 0 {
			refuse("%s is given as a tensor", s)
		}
	}
}

// value is what a variable holds by now; a parameter joins the graph when it
// is first read.
func (t *translator) value(name string) *graph.Value {
	if v := t.values[name]; v != nil {
		return v
	}
	v := t.vars[name]
	if v == nil || !v.isParam() {
		refuse("nothing computes %s", name)
	}
	shape := v.Tensor.shape()
	n, ok := tensor.CheckedCount(shape)
	if !ok || n == 0 || len(shape) > maxRank || !v.Tensor.Type.isFloat() {
		refuse("parameter %s is %s", name, v.Tensor)
	}
	t.values[name] = t.g.Param(t.unique(name), shape...)
	return t.values[name]
}

// A stage is one of several nodes that compute an operator. Its first operand
// is what the stage before computed.
type stage struct {
	op   graph.Op
	with []*graph.Value // the other operands
}

// emit computes the variable of a slot of the operator's results from x, by
// way of the stages. Without any it is x.
func (t *translator) emit(slot string, x *graph.Value, stages ...stage) {
	result := t.result(slot)
	for i, s := range stages {
		name := result
		if i < len(stages)-1 {
			name += "." + s.op.Kind()
		}
		x = t.apply(name, s.op, append([]*graph.Value{x}, s.with...)...)
	}
	t.values[result] = x
}

// result is the only variable of a slot of the operator's results.
func (t *translator) result(slot string) string {
	names := args(t.op.Out, slot)
	if len(names) != 1 {
		refuse("%d variables for %s, want 1", len(names), slot)
	}
	return names[0]
}

func (t *translator) apply(name string, op graph.Op, in ...*graph.Value) *graph.Value {
	v, err := t.g.Apply(t.unique(name), op, in...)
	if err != nil {
		refuse("%v", err)
	}
	if len(v.Shape) > maxRank {
		refuse("%s has more than %d axes", v, maxRank)
	}
	return v
}

// unique is name, or name@2 and so on where an operator overwrites a variable.
func (t *translator) unique(name string) string {
	for unique := name; ; {
		if _, other := t.vars[unique]; !t.g.Has(unique) && (unique == name || !other) {
			return unique
		}
		t.again[name]++
		unique = fmt.Sprintf("%s@%d", name, t.again[name]+1)
	}
}
