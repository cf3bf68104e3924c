package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/parity"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// views and side are those of nets.py.
const (
	views = 2
	side  = 40
)

// input is what nets.py's function of that name makes.
func input() *tensor.Dense {
	x := tensor.New(tensor.Float32, 1, views, 3, side, side)
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i*7919%1021)/512 - 1
	}
	return x
}

// Random networks that PyTorch saved compute here what they compute there, and go
// back bit for bit into files that torch.load and load_state_dict take.
func TestScoresOfPyTorch(t *testing.T) {
	for _, tc := range []struct {
		script string // the layout's name there
		depth  int
		form   string
		layout Layout
		family tsn.Family
	}{
		{"torchvision", 50, "zip", Torchvision, tsn.TSN},
		{"torchvision", 18, "half", Torchvision, tsn.TSN},
		{"timm", 50, "legacy", Timm, tsn.PPTSN},
		{"timm", 18, "parallel", Timm, tsn.PPTSN},
		{"mmaction2", 50, "mmaction", MMAction2, tsn.TSN},
		{"mmpretrain", 18, "legacy", MMAction2, tsn.PPTSN},
	} {
		t.Run(fmt.Sprint(tc.script, tc.depth, " ", tc.form), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "theirs.pth")
			var want []float64
			if err := json.Unmarshal(runPyTorch(t, "save", tc.script, strconv.Itoa(tc.depth), tc.form, path)[0], &want); err != nil {
				t.Fatal(err)
			}
			n := readFile(t, path)
			if n.From.Layout != tc.layout || n.Spec.Family != tc.family || n.Spec.Layers != tc.depth || n.Spec.Classes != len(want) {
				t.Fatalf("taken for %+v in the names of %s", n.Spec, n.From.Layout)
			}
			got := scores(t, n)
			if e := parity.Compare(got, want); e > parity.LogitTolerance {
				t.Errorf("scores %v, in PyTorch %v: relative error %.2g, tolerance %.2g", got, want, e, parity.LogitTolerance)
			}
			back := filepath.Join(filepath.Dir(path), "ours.pth")
			writeFile(t, back, Pth, n, tc.layout)
			runPyTorch(t, "check", tc.script, strconv.Itoa(tc.depth), path, back)
		})
	}
}

func readFile(t *testing.T, path string) *Network {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, err := Read(f, false)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func writeFile(t *testing.T, path string, kind Kind, n *Network, to Layout) {
	t.Helper()
	tensors, _, err := n.Named(to)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, kind, tensors, n.Params); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// scores runs the network in the plain evaluator.
func scores(t *testing.T, n *Network) []float32 {
	t.Helper()
	net, err := tsn.Build(n.Spec, views, side, side)
	if err != nil {
		t.Fatal(err)
	}
	out, err := graph.Eval(net.Graph, n.Weights, input())
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Float32s()
}

// A network goes through every kind of file and every layout of its family
// unchanged.
func TestRoundTrip(t *testing.T) {
	for _, tc := range []struct {
		spec tsn.Spec
		to   Layout
	}{
		{tsn.Spec{Family: tsn.TSN, Layers: 18, Classes: 3}, Torchvision},
		{tsn.Spec{Family: tsn.TSN, Layers: 18, Classes: 3}, MMAction2},
		{tsn.Spec{Family: tsn.PPTSN, Layers: 50, Classes: 3}, Timm},
		{tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 3}, PPTSN},
	} {
		net, err := tsn.Build(tc.spec, 1, 32, 32)
		if err != nil {
			t.Fatal(err)
		}
		want := &Network{Spec: tc.spec, Params: net.Params, Weights: net.Init(0.1, 7)}
		for _, kind := range []Kind{Pth, Safetensors, Pdparams} {
			to := tc.to
			if kind == Pdparams {
				to = PPTSN
			}
			path := filepath.Join(t.TempDir(), "w")
			writeFile(t, path, kind, want, to)
			if k, err := KindOf(path); k != kind {
				t.Errorf("a %s file is taken for %q (%v)", kind, k, err)
			}
			got := readFile(t, path)
			if got.Spec != tc.spec || got.From.Layout != to {
				t.Errorf("%s, %s: came back as %+v in the names of %s", kind, to, got.Spec, got.From.Layout)
			}
			for name, w := range want.Weights {
				if g := got.Weights[name]; g == nil || !bytes.Equal(g.Data, w.Data) {
					t.Errorf("%s, %s: %s came back changed", kind, to, name)
				}
			}
		}
	}
}
