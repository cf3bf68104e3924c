package pdmodel_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/pdmodel"
	"github.com/pptsn/pptsn/tensor"
)

// A numpyCase is a program and what it computes, as testdata/operators.py
// wrote it.
type numpyCase struct {
	Name           string
	Inputs, Params map[string]struct {
		Shape    []int
		Seed     int
		Positive bool
	}
	Dims map[string][]int64 // what the program says of a result's shape
	Ops  []struct {
		Type    string
		In, Out map[string][]string
		Attrs   map[string]struct {
			Bool   *bool
			Int    *int32
			Float  *float32
			String *string
			Ints   []int32
		}
	}
	Fetch string
	Shape []int
	Want  []float64
}

// TestOperators runs each operator in a program of its own and compares with
// numpy.
func TestOperators(t *testing.T) {
	for _, c := range numpyCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			p, err := pdmodel.Parse(c.program().Encode())
			if err != nil {
				t.Fatal(err)
			}
			g, err := p.Graph()
			if err != nil {
				t.Fatal(err)
			}
			got := eval(t, g, c.weights(), c.inputs(g)...)[0]
			if !slices.Equal(got.Shape, c.Shape) {
				t.Fatalf("shape %v, want %v", got.Shape, c.Shape)
			}
			for i, v := range got.Float32s() {
				if math.Abs(float64(v)-c.Want[i]) > 1e-5*max(1, math.Abs(c.Want[i])) {
					t.Fatalf("element %d is %v, want %v", i, v, c.Want[i])
				}
			}
		})
	}
}

func numpyCases(t testing.TB) []numpyCase {
	t.Helper()
	data, err := os.ReadFile("testdata/operators.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []numpyCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// values is the formula of operators.py.
func values(shape []int, seed int, positive bool) *tensor.Dense {
	d := tensor.New(tensor.Float32, shape...)
	for i := range d.Float32s() {
		v := (7*i*i + 3*i + seed) % 17
		if positive {
			d.Float32s()[i] = float32(v+1) / 8
		} else {
			d.Float32s()[i] = float32(v-8) / 8
		}
	}
	return d
}

func (c numpyCase) weights() graph.Weights {
	w := graph.Weights{}
	for name, p := range c.Params {
		w[name] = values(p.Shape, p.Seed, p.Positive)
	}
	return w
}

func (c numpyCase) inputs(g *graph.Graph) []*tensor.Dense {
	var in []*tensor.Dense
	for _, v := range g.Inputs {
		p := c.Inputs[v.Name]
		in = append(in, values(p.Shape, p.Seed, p.Positive))
	}
	return in
}

func (c numpyCase) program() *pdmodel.Program {
	b := &block{}
	for name, p := range c.Inputs {
		b.feed(name, p.Shape...)
	}
	for name, p := range c.Params {
		b.param(name, p.Shape...)
	}
	for name, dims := range c.Dims {
		b.Vars = append(b.Vars, lodTensor(name, dims))
	}
	for _, op := range c.Ops {
		o := &pdmodel.Op{Type: op.Type, In: slots(op.In), Out: slots(op.Out)}
		for name, v := range op.Attrs {
			a := pdmodel.Attr{Name: name}
			switch {
			case v.Bool != nil:
				a.Type, a.Value = pdmodel.AttrBool, *v.Bool
			case v.Int != nil:
				a.Type, a.Value = pdmodel.AttrInt, *v.Int
			case v.Float != nil:
				a.Type, a.Value = pdmodel.AttrFloat, *v.Float
			case v.String != nil:
				a.Type, a.Value = pdmodel.AttrString, *v.String
			default:
				a.Type, a.Value = pdmodel.AttrInts, v.Ints
			}
			o.Attrs = append(o.Attrs, a)
		}
		b.Ops = append(b.Ops, o)
	}
	return b.fetch(c.Fetch)
}
