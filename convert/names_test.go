package convert

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// memory is a checkpoint that holds zeros.
type memory map[string][]int

func (m memory) Names() []string {
	names := []string{}
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (m memory) Tensor(name string) (*tensor.Dense, error) {
	return tensor.New(tensor.Float32, m[name]...), nil
}

func (m memory) Info(name string) ([]int, tensor.Type, bool) {
	shape, ok := m[name]
	return shape, tensor.Float32, ok
}

// without is a copy that lacks some names.
func (m memory) without(names ...string) memory {
	c := memory{}
	for name, shape := range m {
		if !slices.Contains(names, name) {
			c[name] = shape
		}
	}
	return c
}

// with is a copy that has one name more, or with another shape.
func (m memory) with(name string, shape ...int) memory {
	c := m.without()
	c[name] = shape
	return c
}

const python = "/usr/bin/python3"

var hasPyTorch = sync.OnceValue(func() bool { return exec.Command(python, "-c", "import torch").Run() == nil })

// runPyTorch runs testdata/nets.py and returns the lines it prints.
func runPyTorch(t testing.TB, args ...string) [][]byte {
	t.Helper()
	if !hasPyTorch() {
		t.Skip("no PyTorch in " + python + " to compare with")
	}
	cmd := exec.Command(python, append([]string{"testdata/nets.py"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("nets.py %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return bytes.Split(bytes.TrimSpace(out), []byte("\n"))
}

// Every layout and depth: which network it is, and that every name and shape of
// PyTorch's state dict has its place, and no other name is wanted.
func TestNamesOfPyTorch(t *testing.T) {
	family := map[string]tsn.Family{"torchvision": tsn.TSN, "timm": tsn.PPTSN, "mmaction2": tsn.TSN, "mmpretrain": tsn.PPTSN}
	for _, line := range runPyTorch(t, "names") {
		var net struct {
			Layout string
			Depth  int
			Shapes memory
		}
		if err := json.Unmarshal(line, &net); err != nil {
			t.Fatal(err)
		}
		m, err := find(net.Shapes)
		if err != nil {
			t.Errorf("%s %d: %v", net.Layout, net.Depth, err)
			continue
		}
		if m.spec.Family != family[net.Layout] || m.spec.Layers != net.Depth || string(m.layout) != strings.Replace(net.Layout, "mmpretrain", "mmaction2", 1) {
			t.Errorf("%s %d is taken for %s of %s", net.Layout, net.Depth, describe(m.spec), m.layout)
		}
		spec, err := m.whole(net.Shapes)
		if err != nil || spec.Classes != 7 {
			t.Errorf("%s %d: %d classes (%v), want 7", net.Layout, net.Depth, spec.Classes, err)
		}
		comparePlaces(t, m, spec, net.Shapes)
	}
}

func comparePlaces(t *testing.T, m *match, spec tsn.Spec, shapes memory) {
	t.Helper()
	all, err := params(spec)
	if err != nil {
		t.Fatal(err)
	}
	left := shapes.without()
	for _, p := range all {
		name := m.nameOf(p)
		if name != "" && !slices.Equal(shapes[name], m.turned(p)) {
			t.Errorf("%s: %s is %v, want %v as %s", describe(spec), name, shapes[name], m.turned(p), p.Name)
		}
		delete(left, name)
	}
	for name := range left {
		if !strings.HasSuffix(name, counter) {
			t.Errorf("%s: %s has no place", describe(spec), name)
		}
	}
}

// own is a checkpoint of package tsn with 5 classes.
func own(t *testing.T, f tsn.Family, layers int) memory {
	t.Helper()
	net, err := tsn.Build(tsn.Spec{Family: f, Layers: layers, Classes: 5}, 1, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	m := memory{}
	for _, p := range net.Params {
		m[p.Name] = p.Shape
	}
	return m
}

// renamed is a copy with other names; those that become "" are left out.
func (m memory) renamed(as func(string) string) memory {
	c := memory{}
	for name, shape := range m {
		if to := as(name); to != "" {
			c[to] = shape
		}
	}
	return c
}

// PaddleClas of 2020 has our names without a prefix and calls its classifier out.
func clas2020(name string) string {
	return strings.Replace(strings.TrimPrefix(name, "backbone."), "head.fc", "out", 1)
}

func TestNamesOfPaddle(t *testing.T) {
	for _, tc := range []struct {
		name   string
		file   memory
		layout Layout
		spec   tsn.Spec
	}{
		{"our own", own(t, tsn.PPTSN, 50), PPTSN, tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 5}},
		{"our own TSN", own(t, tsn.TSN, 101), PPTSN, tsn.Spec{Family: tsn.TSN, Layers: 101, Classes: 5}},
		{"the deepest", own(t, tsn.PPTSN, 200), PPTSN, tsn.Spec{Family: tsn.PPTSN, Layers: 200, Classes: 5}},
		{"PaddleClas 2020", own(t, tsn.PPTSN, 50).renamed(clas2020), PaddleClas, tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 5}},
		{"PaddleClas 2020, basic blocks", own(t, tsn.PPTSN, 18).renamed(clas2020), PaddleClas, tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 5}},
		{"PaddleClas 2020, plain", own(t, tsn.TSN, 50).renamed(clas2020), PaddleClas, tsn.Spec{Family: tsn.TSN, Layers: 50, Classes: 5}},
		{"wrapped", own(t, tsn.TSN, 50).renamed(func(s string) string { return "module._orig_mod." + s }), PPTSN, tsn.Spec{Family: tsn.TSN, Layers: 50, Classes: 5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n, err := Read(tc.file, false)
			if err != nil {
				t.Fatal(err)
			}
			if n.From.Layout != tc.layout || n.Spec != tc.spec {
				t.Errorf("taken for %s in the names of %s: %+v", describe(n.Spec), n.From.Layout, n.Spec)
			}
			if len(n.From.Pairs) != len(tc.file) || len(n.From.Made)+len(n.From.Left) > 0 {
				t.Errorf("%d of %d tensors read, %v made, %v left", len(n.From.Pairs), len(tc.file), n.From.Made, n.From.Left)
			}
		})
	}
}

// The names of PaddleClas since 2021, copied from its MODEL_STAGES_PATTERN and
// class definitions: the sixteen blocks of 50 layers are numbered through.
func TestPaddleClas2021(t *testing.T) {
	m := match{scheme: scheme{name: paddleclas}, spec: tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 5}}
	for ours, want := range map[string]string{
		"backbone.conv1_3._conv.weight":               "stem.2.conv.weight",
		"backbone.conv1_1._batch_norm._variance":      "stem.0.bn._variance",
		"backbone.bb_0_0.short._conv.weight":          "blocks.0.short.conv.weight",
		"backbone.bb_1_0.conv0._batch_norm.bias":      "blocks.3.conv0.bn.bias",
		"backbone.bb_2_5.conv2._batch_norm._mean":     "blocks.12.conv2.bn._mean",
		"backbone.bb_3_2.conv1._batch_norm.weight":    "blocks.15.conv1.bn.weight",
		"backbone.bb_3_0.short._batch_norm._variance": "blocks.13.short.bn._variance",
	} {
		if got := m.nameOf(tsn.Param{Name: ours}); got != want {
			t.Errorf("%s is %s, want %s", ours, got, want)
		}
	}
}

// typed is a checkpoint in which the classifier's bias is all of one number, of
// another type.
type typed struct {
	memory
	bias *tensor.Dense
}

func (c typed) Tensor(name string) (*tensor.Dense, error) {
	if name == "head.fc.bias" {
		return c.bias, nil
	}
	return c.memory.Tensor(name)
}

func (c typed) Info(name string) ([]int, tensor.Type, bool) {
	if name == "head.fc.bias" {
		return c.bias.Shape, c.bias.Type, true
	}
	return c.memory.Info(name)
}

// Numbers that float32 does not hold are refused, not changed.
func TestTypes(t *testing.T) {
	for _, tc := range []struct {
		name   string
		typ    tensor.Type
		first  uint64
		want   string // "": accepted
		rounds int
	}{
		{"whole numbers", tensor.Int64, 3, "is of int64", 0},
		{"too large", tensor.Float64, math.Float64bits(1e300), "infinite in float32", 0},
		{"float64", tensor.Float64, math.Float64bits(0.1), "", 1},
	} {
		bias := tensor.New(tc.typ, 5)
		binary.LittleEndian.PutUint64(bias.Data, tc.first)
		n, err := Read(typed{own(t, tsn.TSN, 18), bias}, false)
		switch {
		case tc.want == "" && (err != nil || n.From.Rounded != tc.rounds || n.Weights["head.fc.bias"].Float32s()[0] != 0.1):
			t.Errorf("%s: %v", tc.name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestRefused(t *testing.T) {
	plain := own(t, tsn.TSN, 50)
	named := func(m memory, to Layout) memory {
		n, err := Read(m, false)
		if err != nil {
			t.Fatal(err)
		}
		out := memory{}
		tensors, _, err := n.Named(to)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range tensors {
			out[e.Name] = e.Tensor.Shape
		}
		return out
	}
	tv, timm50 := named(plain, Torchvision), named(own(t, tsn.PPTSN, 50), Timm)
	for _, tc := range []struct {
		name         string
		file         memory
		backboneOnly bool
		want         string
	}{
		{"something else", memory{"fc.weight": {3, 4}}, false, "no network that pptsn builds"},
		{"nothing", memory{}, false, "there are no tensors in it"},
		{"a tensor missing", tv.without("layer3.2.bn2.running_var"), false, "layer3.2.bn2.running_var [256] is missing"},
		{"no classifier", tv.without("fc.weight", "fc.bias"), false, "--backbone-only"},
		{"half a classifier", tv.without("fc.bias"), false, "fc.bias [5] is missing"},
		{"a classifier of three axes", tv.with("fc.weight", 5, 2048, 1), false, "want two axes"},
		{"squeeze and excitation", timm50.with("layer1.0.se.fc1.weight", 16, 256, 1, 1), false, "would not be computed: layer1.0.se.fc1.weight"},
		{"squeeze and excitation, backbone only", timm50.with("layer1.0.se.fc1.weight", 16, 256, 1, 1), true, "would not be computed"},
		{"groups", tv.with("layer1.0.conv2.weight", 128, 4, 3, 3), false, "layer1.0.conv2.weight is [128, 4, 3, 3], want [64, 64, 3, 3]"},
		{"optical flow", tv.with("conv1.weight", 64, 10, 7, 7), false, "conv1.weight is [64, 10, 7, 7], want [64, 3, 7, 7]"},
		{"more blocks", timm50.with("layer2.4.conv1.weight", 128, 512, 1, 1), false, "has more"},
		{"another head", tv.with("aux.fc.weight", 3, 3), false, "--backbone-only leaves it out"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Read(tc.file, tc.backboneOnly); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
	n, err := Read(tv.with("aux.fc.weight", 3, 3), true)
	if err != nil || !slices.Contains(n.From.Left, "aux.fc.weight") || n.Spec.Classes != 0 || len(n.Weights) != len(tv)-2 {
		t.Errorf("backbone only: %v, %v left", err, n.From.Left)
	}
	for _, tc := range []struct {
		file memory
		to   Layout
		want string
	}{
		{plain, Timm, "timm does not have a tsn"},
		{own(t, tsn.PPTSN, 50), Torchvision, "torchvision does not have a pptsn"},
		{own(t, tsn.PPTSN, 200), Timm, "3, 12, 48 and 3"},
		{own(t, tsn.PPTSN, 18), Timm, "a projection in its first block"},
	} {
		n, err := Read(tc.file, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := n.Named(tc.to); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want %q", err, tc.want)
		}
	}
}
