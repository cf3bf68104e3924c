package pdmodel_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/pdmodel"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

// A net writes down a small graph and returns its result.
type net func(g *graph.Graph) *graph.Value

func (n net) graph() *graph.Graph {
	g := graph.New("net")
	g.Output(n(g))
	return g
}

var relu = graph.Activation{Func: graph.ReLU}

// segments is a network as TSN's: views, a convolution with batch norm, a
// shortcut that is averaged with ceil, a residual sum, the consensus, a
// classifier.
func segments(g *graph.Graph) *graph.Value {
	const views, size = 3, 9
	conv := func(name string, x *graph.Value, out, kernel, stride int) *graph.Value {
		w := g.Param(name+".weight", out, x.Shape[1], kernel, kernel)
		x = g.Must(name+".conv", graph.Conv{Stride: [2]int{stride, stride}, Dilation: [2]int{1, 1}, Groups: 1,
			Pad: graph.SamePad(kernel / 2)}, x, w)
		return g.Must(name+".norm", graph.BatchNorm{Epsilon: 1e-5}, x, g.Param(name+".scale", out), g.Param(name+".offset", out),
			g.Param(name+"._mean", out), g.Param(name+"._variance", out))
	}
	x := g.Input("data_batch_0", graph.Unknown, views, 3, size, size)
	x = g.Must("views", graph.Reshape{Shape: []int{-1, 3, size, size}}, x)
	x = g.Must("stem.relu", graph.Activate{Act: relu}, conv("stem", x, 4, 3, 1))
	x = g.Must("pool", graph.Pool{Max: true, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: graph.SamePad(1)}, x)
	short := g.Must("short.pool", graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Ceil: true}, x)
	short = conv("short", short, 6, 1, 1)
	x = g.Must("sum", graph.Binary{Op: graph.Add}, conv("block", x, 6, 3, 2), short)
	x = g.Must("relu", graph.Activate{Act: relu}, x)
	x = g.Must("features", graph.Mean{Axes: []int{2, 3}, Keep: true}, x)
	x = g.Must("clips", graph.Reshape{Shape: []int{-1, views, 6}}, x)
	x = g.Must("consensus", graph.Mean{Axes: []int{1}}, x)
	x = g.Must("dropout", graph.Dropout{P: 0.4}, x)
	return g.Must("logits", graph.Linear{Bias: true}, x, g.Param("fc.weight", 6, 5), g.Param("fc.bias", 5))
}

// others has an operation of every kind that segments lacks.
func others(g *graph.Graph) *graph.Value {
	x := g.Input("x", graph.Unknown, 8, 6, 6)
	act := func(name string, f graph.ActFunc, x *graph.Value) *graph.Value {
		return g.Must(name, graph.Activate{Act: graph.Activation{Func: f, Slope: 0.2, Offset: 0.5}}, x)
	}
	deep := g.Must("depthwise", graph.Conv{Stride: [2]int{1, 1}, Dilation: [2]int{2, 1}, Groups: 8, Act: relu,
		Pad: graph.Pad{Top: 2, Bottom: 2, Left: 0, Right: 2}, Bias: true, Residual: true}, x,
		g.Param("depthwise.w", 8, 1, 3, 3), g.Param("depthwise.b", 8), act("six", graph.ReLU6, x))
	shift := g.Must("shift", graph.TemporalShift{Segments: 2, Ratio: 0.25}, deep)
	y := g.Must("mul", graph.Binary{Op: graph.Mul, Act: graph.Activation{Func: graph.HardSwish}}, shift, g.Param("gate", 8, 1, 1))
	y = g.Must("sub", graph.Binary{Op: graph.Sub}, y, act("gates", graph.HardSigmoid, x))
	y = g.Must("div", graph.Binary{Op: graph.Div}, y, act("positive", graph.Sigmoid, x))
	y = g.Must("affine", graph.Affine{Scale: 0.5, Shift: 0.25}, y)
	y = g.Must("concat", graph.Concat{Axis: 1}, y, x)
	y = g.Must("slice", graph.Slice{Axes: []int{1, 3}, Starts: []int{1, -4}, Ends: []int{100, -1}}, y)
	y = g.Must("padded", graph.Pool{Kernel: [2]int{3, 2}, Stride: [2]int{2, 1}, Pad: graph.Pad{Top: 1, Bottom: 0}, CountPadding: true}, y)
	y = g.Must("rows", graph.Transpose{Perm: []int{0, 2, 3, 1}}, y)
	y = g.Must("linear", graph.Linear{Transposed: true}, y, g.Param("linear.w", 4, 15))
	y = g.Must("softmax", graph.Softmax{Axis: 3}, y)
	y = g.Must("same", graph.Mean{}, y)
	return g.Must("mean", graph.Mean{Axes: []int{3, 0}, Keep: true}, y)
}

func optimized(n net) net {
	return func(to *graph.Graph) *graph.Value {
		g := n.graph()
		g, _, err := graph.Optimize(g, randomWeights(g, rand.New(rand.NewPCG(3, 4))))
		if err != nil {
			panic(err)
		}
		*to = *g
		out := g.Outputs[0]
		to.Outputs = nil
		return out
	}
}

var nets = []struct {
	name string
	net  net
	in   []int
}{
	{"segments", segments, []int{2, 3, 3, 9, 9}},
	{"segments, optimised", optimized(segments), []int{2, 3, 3, 9, 9}},
	{"others", others, []int{4, 8, 6, 6}},
	{"others, optimised", optimized(others), []int{4, 8, 6, 6}},
}

// TestWriteRead: a graph that was written and read computes the same, and
// written once more gives the same files.
func TestWriteRead(t *testing.T) {
	for _, tc := range nets {
		t.Run(tc.name, func(t *testing.T) {
			g := tc.net.graph()
			w := randomWeights(g, rand.New(rand.NewPCG(5, 6)))
			want := eval(t, g, w, ramp(tc.in...))
			program, params := write(t, g, w, pdmodel.Meta{})
			g2, w2 := readBack(t, program, params)
			got := eval(t, g2, w2, ramp(tc.in...))
			for i, v := range got[0].Float32s() {
				if d := v - want[0].Float32s()[i]; d > 1e-5 || d < -1e-5 {
					t.Fatalf("element %d: %v, before %v", i, v, want[0].Float32s()[i])
				}
			}
			again, paramsAgain := write(t, g2, w2, pdmodel.Meta{})
			if !bytes.Equal(again, program) || !bytes.Equal(paramsAgain, params) {
				t.Error("written again, the files differ")
			}
		})
	}
}

func write(t testing.TB, g *graph.Graph, w graph.Weights, m pdmodel.Meta) (program, params []byte) {
	t.Helper()
	var a, b, c bytes.Buffer
	if err := pdmodel.Write(&a, &b, &c, g, w, m); err != nil {
		t.Fatal(err)
	}
	return a.Bytes(), b.Bytes()
}

// hints are attributes that do not change what inference computes and that
// Paddle leaves out since 2.4, whatever the operator.
var hints = []string{"op_callstack STRINGS", "with_quant_attr BOOLEAN", "use_cudnn BOOLEAN", "use_mkldnn BOOLEAN",
	"use_quantizer BOOLEAN", "mkldnn_data_type STRING"}

// TestLikePaddle compares each written operator with those of its type in real
// files: an attribute, operand or result that all of them have must be there,
// one that none of them has must not, and types must agree.
func TestLikePaddle(t *testing.T) {
	real := map[string][]*pdmodel.Op{}
	versions := map[string]int32{}
	for _, tc := range realPrograms {
		p := realProgram(t, tc.file)
		for _, b := range p.Blocks {
			for _, op := range b.Ops {
				real[op.Type] = append(real[op.Type], op)
			}
		}
		for _, v := range p.OpVersions {
			versions[v.Op] = v.Version
		}
	}
	for _, tc := range nets {
		p, err := pdmodel.Build(tc.net.graph(), pdmodel.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range p.Blocks[0].Ops {
			if real[op.Type] == nil {
				if !slices.Contains([]string{"relu6", "elementwise_sub", "elementwise_div"}, op.Type) {
					t.Errorf("no real file has %s", op.Type)
				}
				continue
			}
			compare(t, op, real[op.Type])
		}
		for _, v := range p.OpVersions {
			if v.Version != versions[v.Op] {
				t.Errorf("%s: revision %d of %s, in real files %d", tc.name, v.Version, v.Op, versions[v.Op])
			}
		}
	}
}

func compare(t *testing.T, op *pdmodel.Op, real []*pdmodel.Op) {
	t.Helper()
	for what, names := range map[string]func(*pdmodel.Op) []string{
		"attribute": func(o *pdmodel.Op) []string {
			return each(o.Attrs, func(a pdmodel.Attr) string { return a.Name + " " + a.Type.String() })
		},
		"operand": func(o *pdmodel.Op) []string { return each(o.In, func(s pdmodel.Slot) string { return s.Name }) },
		"result":  func(o *pdmodel.Op) []string { return each(o.Out, func(s pdmodel.Slot) string { return s.Name }) },
	} {
		count := map[string]int{}
		for _, r := range real {
			for _, name := range names(r) {
				count[name]++
			}
		}
		own := names(op)
		for name, n := range count {
			hint := slices.Contains(hints, name) || op.Type == "transpose2" && name == "data_format STRING"
			if n == len(real) && !hint && !slices.Contains(own, name) {
				t.Errorf("%s lacks %s %s", op.Type, what, name)
			}
		}
		for _, name := range own {
			if count[name] == 0 {
				t.Errorf("%s has %s %s, in no real file", op.Type, what, name)
			}
		}
	}
}

func each[T any](list []T, f func(T) string) []string {
	var names []string
	for _, v := range list {
		names = append(names, f(v))
	}
	return names
}

// TestVarsLikePaddle compares the variables with those of a real file: which
// fields they have.
func TestVarsLikePaddle(t *testing.T) {
	kinds := func(p *pdmodel.Program) map[string]bool {
		found := map[string]bool{}
		for _, v := range p.Blocks[0].Vars {
			s := "other"
			switch {
			case v.Tensor == nil:
				s = "list"
			case v.Persistable == nil:
				s = "input"
			case *v.Persistable:
				s = "parameter"
			}
			if v.Tensor != nil && v.Tensor.LoDLevel != nil {
				s += " with level"
			}
			if v.NeedCheckFeed != nil || v.IsParameter != nil || v.StopGradient != nil {
				s += " with flags"
			}
			found[s] = true
		}
		return found
	}
	p, err := pdmodel.Build(net(segments).graph(), pdmodel.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	real := kinds(realProgram(t, "pptsm-k400/ppTSM.pdmodel"))
	for kind := range kinds(p) {
		if !real[kind] {
			t.Errorf("there is a variable of kind %q, which PP-TSM's program lacks", kind)
		}
	}
}

// TestMeta: variables get Paddle's names, the version is written, the list of
// names says which parameters are trained.
func TestMeta(t *testing.T) {
	g := net(segments).graph()
	m := pdmodel.Meta{
		Version: 3000000,
		Vars:    map[string]string{"stem.weight": "conv1_weights", "stem._mean": "batch_norm2d_0.w_0"},
		Frozen:  map[string]bool{"stem._mean": true},
	}
	var program, params, info bytes.Buffer
	if err := pdmodel.Write(&program, &params, &info, g, randomWeights(g, rand.New(rand.NewPCG(7, 8))), m); err != nil {
		t.Fatal(err)
	}
	p, err := pdmodel.Parse(program.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	names := each(p.Params(), func(v *pdmodel.Var) string { return v.Name })
	if p.VersionString() != "3.0.0" || !slices.Contains(names, "conv1_weights") || slices.Contains(names, "stem.weight") {
		t.Errorf("version %s, parameters %v", p.VersionString(), names)
	}
	vars, err := pdparams.ReadInfo(bytes.NewReader(info.Bytes()), int64(info.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if len(vars) != len(names) {
		t.Errorf("%d names, %d parameters", len(vars), len(names))
	}
	for _, want := range []pdparams.VarInfo{
		{Name: "conv1_weights", StructuredName: "stem.weight", Trainable: true},
		{Name: "batch_norm2d_0.w_0", StructuredName: "stem._mean", StopGradient: true},
		{Name: "fc.bias", StructuredName: "fc.bias", Trainable: true},
	} {
		if !slices.Contains(vars, want) {
			t.Errorf("%+v is not among the names", want)
		}
	}
	m.Vars["stem._mean"] = "conv1_weights"
	if _, err := pdmodel.Build(g, m); err == nil {
		t.Error("two parameters got the same variable")
	}
}

// TestCannotWrite: graphs that Paddle would compute otherwise.
func TestCannotWrite(t *testing.T) {
	for name, n := range map[string]net{
		"avg_pool": func(g *graph.Graph) *graph.Value {
			return g.Must("y", graph.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Pad: graph.SamePad(1), Ceil: true}, g.Input("x", 1, 1, 5, 5))
		},
		"temporal_shift": func(g *graph.Graph) *graph.Value {
			return g.Must("y", graph.TemporalShift{Segments: 1, Ratio: 0.25}, g.Input("x", 1, 2, 5, 5))
		},
	} {
		_, err := pdmodel.Build(n.graph(), pdmodel.Meta{})
		var unsupported *pdmodel.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Ops[0].Type != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	g := net(segments).graph()
	err := pdmodel.Write(nil, nil, nil, g, graph.Weights{"fc.bias": tensor.New(tensor.Float32, 5)}, pdmodel.Meta{})
	var weights *graph.WeightsError
	if !errors.As(err, &weights) {
		t.Errorf("without weights: %v", err)
	}
}
