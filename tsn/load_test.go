package tsn

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/tensor"
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
	return tensor.New(tensor.Float64, m[name]...), nil
}

func (m memory) Info(name string) ([]int, tensor.Type, bool) {
	shape, ok := m[name]
	return shape, tensor.Float64, ok
}

func checkpoint(t *testing.T, s Spec) memory {
	t.Helper()
	net, err := Build(s, 1, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	m := memory{}
	for _, p := range net.Params {
		m[p.Name] = p.Shape
	}
	return m
}

func TestLoad(t *testing.T) {
	spec := Spec{Family: PPTSN, Layers: 18, Classes: 10}
	net, _ := Build(spec, 3, 64, 64)
	m := checkpoint(t, spec)
	m["epoch"] = []int{1} // ignored
	w, err := net.Load(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := net.Graph.CheckWeights(w); err != nil {
		t.Error(err)
	}
}

func TestLoadMismatch(t *testing.T) {
	pptsn18 := Spec{Family: PPTSN, Layers: 18, Classes: 10}
	noHead := checkpoint(t, pptsn18)
	delete(noHead, "head.fc.weight")
	delete(noHead, "head.fc.bias")
	imageNet := memory{"out.weight": {512, 1000}}
	for name, shape := range noHead {
		imageNet[strings.TrimPrefix(name, "backbone.")] = shape
	}
	for _, tc := range []struct {
		name string
		file memory
		want []string
	}{
		{"other classes", checkpoint(t, Spec{Family: PPTSN, Layers: 18, Classes: 400}),
			[]string{"trained on 400 classes", "set num_classes=400", "head.fc.weight is [512, 400], want [512, 10]"}},
		{"other depth", checkpoint(t, Spec{Family: PPTSN, Layers: 34, Classes: 10}),
			[]string{"pptsn with 34 layers", "bb_0_2"}},
		{"other family", checkpoint(t, Spec{Family: TSN, Layers: 101, Classes: 10}),
			[]string{"tsn with 101 layers", "backbone.conv1_1._conv.weight [32, 3, 3, 3]", "backbone.conv._conv.weight [64, 3, 7, 7]"}},
		{"no classifier", noHead, []string{"backbone without the network's classifier", "head.fc.bias [10]"}},
		{"image classifier", imageNet, []string{"backbone without the network's classifier", "out.weight [512, 1000]"}},
		{"something else", memory{"fc.weight": {13, 1}}, []string{"not a checkpoint of this network", "fc.weight [13, 1]"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			net, _ := Build(pptsn18, 3, 64, 64)
			_, err := net.Load(tc.file)
			var mismatch *MismatchError
			if !errors.As(err, &mismatch) {
				t.Fatalf("error %v, want a *MismatchError", err)
			}
			for _, w := range tc.want {
				if !strings.Contains(strings.Join(append(slices.Concat(mismatch.Missing, mismatch.Wrong, mismatch.Unknown), mismatch.Error()), "\n"), w) {
					t.Errorf("error lacks %q:\n%v", w, err)
				}
			}
		})
	}
}
