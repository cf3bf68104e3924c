package pdmodel

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// A Program is a ProgramDesc: what to compute, without the parameters' values.
type Program struct {
	Blocks     []*Block // the first is where computing begins
	Version    int64    // of the Paddle that wrote it: major*1000000 + minor*1000 + patch; often 0
	OpVersions []OpVersion

	hasVersion, hasOpVersions bool
	compatible                []byte // op_compatible_map, of Paddle before 2.0, as it stands
	unknown                   []byte
}

// An OpVersion is the revision of an operator that a program was written for.
type OpVersion struct {
	Op      string
	Version int32
}

// A Block is a list of operators and the variables they read and write.
type Block struct {
	Index, Parent int32
	Vars          []*Var
	Ops           []*Op

	unknown []byte
}

// A Var is a variable. Fields that are nil are absent in the file.
type Var struct {
	Name          string
	Kind          VarType
	Tensor        *TensorDesc // of a LoDTensor
	Persistable   *bool       // its value outlives a run: parameters, feed and fetch lists
	NeedCheckFeed *bool
	IsParameter   *bool
	StopGradient  *bool

	unknown, kindUnknown []byte
}

// A TensorDesc is a tensor's element type and shape.
type TensorDesc struct {
	Type     VarType
	Dims     []int64 // -1 is known only when the program runs
	LoDLevel *int32

	unknown, levelUnknown []byte
}

// An Op is one operator.
type Op struct {
	Type    string
	In, Out []Slot
	Attrs   []Attr
	Target  *bool

	unknown []byte
}

// A Slot is one named operand of an operator: the variables given for it.
type Slot struct {
	Name string
	Args []string

	unknown []byte
}

// VersionString is such as "2.6.2"; "unknown version" for 0.
func (p *Program) VersionString() string {
	if p.Version == 0 {
		return "unknown version"
	}
	return fmt.Sprintf("%d.%d.%d", p.Version/1000000, p.Version/1000%1000, p.Version%1000)
}

// OpCounts is how many operators of each type all blocks together hold.
func (p *Program) OpCounts() map[string]int {
	counts := map[string]int{}
	for _, b := range p.Blocks {
		for _, op := range b.Ops {
			counts[op.Type]++
		}
	}
	return counts
}

// Params lists the tensors that the parameter file holds, in its order: the
// persistable ones of block 0, sorted by name.
func (p *Program) Params() []*Var {
	var params []*Var
	for _, v := range p.Blocks[0].Vars {
		if v.isParam() {
			params = append(params, v)
		}
	}
	slices.SortFunc(params, func(a, b *Var) int { return cmp.Compare(a.Name, b.Name) })
	return params
}

func (v *Var) isParam() bool {
	return v.Persistable != nil && *v.Persistable && v.Kind == LoDTensor && v.Tensor != nil
}

// A Port is an input or output of a program.
type Port struct {
	Name  string
	Type  VarType
	Shape []int // holds -1 where any size will do
}

// String is "x float32 [-1, 3, 224, 224]".
func (p Port) String() string {
	return fmt.Sprintf("%s %s %s", p.Name, p.Type, tensor.ShapeString(p.Shape))
}

// Inputs lists what has to be fed, in the order of the feed list.
func (p *Program) Inputs() []Port {
	return p.ports("feed", func(op *Op) []Slot { return op.Out })
}

// Outputs lists what is fetched, in the order of the fetch list.
func (p *Program) Outputs() []Port {
	return p.ports("fetch", func(op *Op) []Slot { return op.In })
}

func (p *Program) ports(typ string, slots func(*Op) []Slot) []Port {
	type numbered struct {
		col  int32
		port Port
	}
	var found []numbered
	vars := p.Blocks[0].byName()
	for _, op := range p.Blocks[0].Ops {
		if op.Type != typ {
			continue
		}
		col, _ := op.attr("col").(int32)
		for _, s := range slots(op) {
			for _, name := range s.Args {
				port := Port{Name: name, Type: -1}
				if v := vars[name]; v != nil && v.Tensor != nil {
					port.Type, port.Shape = v.Tensor.Type, v.Tensor.shape()
				}
				found = append(found, numbered{col, port})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b numbered) int { return cmp.Compare(a.col, b.col) })
	return convert(found, func(n numbered) Port { return n.port })
}

func (b *Block) byName() map[string]*Var {
	vars := make(map[string]*Var, len(b.Vars))
	for _, v := range b.Vars {
		vars[v.Name] = v
	}
	return vars
}

func (t *TensorDesc) shape() []int {
	return convert(t.Dims, func(d int64) int { return int(d) })
}

// attr is an attribute's value, nil if the operator has none of that name.
func (o *Op) attr(name string) any {
	for i := range o.Attrs {
		if o.Attrs[i].Name == name {
			return o.Attrs[i].Value
		}
	}
	return nil
}

// args lists the variables of a slot.
func args(slots []Slot, name string) []string {
	for _, s := range slots {
		if s.Name == name {
			return s.Args
		}
	}
	return nil
}
