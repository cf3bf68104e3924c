package pdmodel_test

import (
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/pdmodel"
	"github.com/pptsn/pptsn/tensor"
)

// A block is a program in the making.
type block struct{ pdmodel.Block }

func lodTensor(name string, dims []int64) *pdmodel.Var {
	return &pdmodel.Var{Name: name, Kind: pdmodel.LoDTensor,
		Tensor: &pdmodel.TensorDesc{Type: pdmodel.Float32, Dims: dims}}
}

func (b *block) tensor(name string, shape []int) *pdmodel.Var {
	dims := make([]int64, len(shape))
	for i, d := range shape {
		dims[i] = int64(d)
	}
	v := lodTensor(name, dims)
	b.Vars = append(b.Vars, v)
	return v
}

func (b *block) feed(name string, shape ...int) {
	b.tensor(name, shape)
	b.op("feed", map[string][]string{"X": {"feed"}}, map[string][]string{"Out": {name}})
}

func (b *block) param(name string, shape ...int) *pdmodel.Var {
	v := b.tensor(name, shape)
	v.Persistable = new(true)
	return v
}

func (b *block) op(typ string, in, out map[string][]string, attrs ...pdmodel.Attr) {
	b.Ops = append(b.Ops, &pdmodel.Op{Type: typ, In: slots(in), Out: slots(out), Attrs: attrs})
}

// fetch completes the program.
func (b *block) fetch(name string) *pdmodel.Program {
	b.op("fetch", map[string][]string{"X": {name}}, map[string][]string{"Out": {"fetch"}})
	return &pdmodel.Program{Blocks: []*pdmodel.Block{&b.Block}}
}

func slots(m map[string][]string) []pdmodel.Slot {
	var list []pdmodel.Slot
	for name, args := range m {
		list = append(list, pdmodel.Slot{Name: name, Args: args})
	}
	return list
}

func eval(t *testing.T, g *graph.Graph, w graph.Weights, in ...*tensor.Dense) []*tensor.Dense {
	t.Helper()
	if err := g.Check(); err != nil {
		t.Fatal(err)
	}
	out, err := graph.Eval(g, w, in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
