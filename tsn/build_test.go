package tsn

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
)

// The parameter table of every network in the parity kit: order, names,
// shapes, learning-rate factors and decay.
func TestParamsParity(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(testdata.Parity(t), "net", "names_*.json"))
	if len(files) == 0 {
		t.Fatal("no names_*.json in the parity kit")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { testParams(t, file) })
	}
}

func testParams(t *testing.T, file string) {
	var want struct {
		Model   Family
		Layers  int
		Classes int `json:"num_classes"`
		Values  int
		Params  []struct {
			Name      string
			Shape     []int
			Trainable bool
			LRMult    float64 `json:"lr_mult"`
			L2        float64
			Paddle    string `json:"paddle_param_name"`
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	net, err := Build(Spec{Family: want.Model, Layers: want.Layers, Classes: want.Classes}, 3, 224, 224)
	if err != nil {
		t.Fatal(err)
	}
	if err := net.Graph.Check(); err != nil {
		t.Error(err)
	}
	if len(net.Params) != len(want.Params) {
		t.Fatalf("%d parameters, want %d", len(net.Params), len(want.Params))
	}
	if n := net.Graph.ParamCount(); n != want.Values {
		t.Errorf("%d values, want %d", n, want.Values)
	}
	for i, w := range want.Params {
		got := net.Params[i]
		l2 := 1e-4 // the optimiser's, in the shipped configurations
		if got.DecaySet {
			l2 = got.Decay
		}
		if !got.Trainable {
			l2 = 0
		}
		if got.Name != w.Name || !slices.Equal(got.Shape, w.Shape) || got.Trainable != w.Trainable ||
			got.LRMult != w.LRMult || l2 != w.L2 || w.Paddle != "" && got.Paddle != w.Paddle {
			t.Errorf("parameter %d: %+v, want %+v", i, got, w)
		}
	}
}

// 8.65 GFLOP a 224x224 frame is the published cost of ResNet50-vd: 4.35 GMAC
// (PaddleClas model zoo, 8.67 GFLOPs).
func TestCost(t *testing.T) {
	net, err := Build(Spec{Family: PPTSN, Layers: 50, Classes: 1000}, 1, 224, 224)
	if err != nil {
		t.Fatal(err)
	}
	if got := float64(net.Graph.FLOPs()) / 1e9; got < 8.6 || got > 8.75 {
		t.Errorf("%.3f GFLOP a frame, want 8.6 to 8.75", got)
	}
}

func TestBadSpecs(t *testing.T) {
	for _, s := range []Spec{
		{Family: "slowfast", Layers: 50, Classes: 4},
		{Family: TSN, Layers: 200, Classes: 4},
		{Family: PPTSN, Layers: 51, Classes: 4},
		{Family: PPTSN, Layers: 50},
		{Family: PPTSN, Layers: 50, Classes: 4, Dropout: 1},
	} {
		if _, err := Build(s, 3, 224, 224); err == nil {
			t.Errorf("%+v was built", s)
		}
	}
	if _, err := Build(Spec{Family: PPTSN, Layers: 50, Classes: 4}, 0, 224, 224); err == nil {
		t.Error("a network of no views was built")
	}
}
