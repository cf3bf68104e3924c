package pdmodel_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/pdmodel"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

const mobilenet = "mobilenetv3-small-035/"

// TestMobileNetV3 runs a trained model and compares with ONNX Runtime, which
// ran the ONNX export of the same checkpoint.
func TestMobileNetV3(t *testing.T) {
	p := realProgram(t, mobilenet+"inference.pdmodel")
	g, err := p.Graph()
	if err != nil {
		t.Fatal(err)
	}
	w, err := pdmodel.Weights(mobilenetParams(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.CheckWeights(w); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/mobilenetv3.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		K    int
		Want []float64
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, tc := range cases {
		x := tensor.New(tensor.Float32, 1, 3, 224, 224)
		for i := range x.Float32s() {
			x.Float32s()[i] = float32((31*i*i+17*i+7*tc.K)%257-128) / 64
		}
		for i, v := range eval(t, g, w, x)[0].Float32s() {
			if math.Abs(float64(v)-tc.Want[i]) > 1e-6 {
				t.Errorf("input %d, class %d: %v, ONNX Runtime %v", tc.K, i, v, tc.Want[i])
			}
		}
	}
}

func mobilenetParams(t testing.TB, p *pdmodel.Program) map[string]*tensor.Dense {
	t.Helper()
	data := realFile(t, mobilenet+"inference.pdiparams")
	params, err := pdmodel.ReadParams(bytes.NewReader(data), int64(len(data)), p)
	if err != nil {
		t.Fatal(err)
	}
	return params
}

// TestParamsOfCheckpoint compares each tensor with the checkpoint that the
// model was exported from.
func TestParamsOfCheckpoint(t *testing.T) {
	params := mobilenetParams(t, realProgram(t, mobilenet+"inference.pdmodel"))
	data := realFile(t, mobilenet+"model.pdparams")
	checkpoint, err := pdparams.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if names := checkpoint.Names(); len(names) != len(params) {
		t.Fatalf("%d tensors, the checkpoint has %d", len(params), len(names))
	}
	for _, name := range checkpoint.Names() {
		want, err := checkpoint.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		variable, _ := checkpoint.ParameterName(name)
		got := params[variable]
		if got == nil || got.String() != want.String() || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s (%s) is not the checkpoint's", variable, name)
		}
	}
}

// TestRewriteParams writes what was read.
func TestRewriteParams(t *testing.T) {
	for _, name := range []string{mobilenet + "inference", "lstm-adam/LSTMModel", "custom-gap/custom_gap", "efficientgcn-xsub/xsub"} {
		p, data := realProgram(t, name+".pdmodel"), realFile(t, name+".pdiparams")
		params, err := pdmodel.ReadParams(bytes.NewReader(data), int64(len(data)), p)
		if err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		if err := pdmodel.WriteParams(&again, p, params); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Bytes(), data) {
			t.Errorf("%s: written again, the parameters are not the same bytes", name)
		}
	}
}

// TestRewriteMobileNet writes the graph of a real program, reads it back and
// expects the same results, bit for bit.
func TestRewriteMobileNet(t *testing.T) {
	p := realProgram(t, mobilenet+"inference.pdmodel")
	g, err := p.Graph()
	if err != nil {
		t.Fatal(err)
	}
	w, err := pdmodel.Weights(mobilenetParams(t, p))
	if err != nil {
		t.Fatal(err)
	}
	var program, params, info bytes.Buffer
	if err := pdmodel.Write(&program, &params, &info, g, w, pdmodel.Meta{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(params.Bytes(), realFile(t, mobilenet+"inference.pdiparams")) {
		t.Error("the parameters are not Paddle's file again")
	}
	g2, w2 := readBack(t, program.Bytes(), params.Bytes())
	shape := shrink(g)
	shrink(g2)
	same(t, eval(t, g, w, ramp(shape...)), eval(t, g2, w2, ramp(shape...)))
}

// ramp is some input.
func ramp(shape ...int) *tensor.Dense {
	d := tensor.New(tensor.Float32, shape...)
	for i := range d.Float32s() {
		d.Float32s()[i] = float32((31*i*i+17*i)%257-128) / 64
	}
	return d
}

func readBack(t *testing.T, program, params []byte) (*graph.Graph, graph.Weights) {
	t.Helper()
	p, err := pdmodel.Parse(program)
	if err != nil {
		t.Fatal(err)
	}
	g, err := p.Graph()
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := pdmodel.ReadParams(bytes.NewReader(params), int64(len(params)), p)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pdmodel.Weights(tensors)
	if err != nil {
		t.Fatal(err)
	}
	return g, w
}

func same(t *testing.T, want, got []*tensor.Dense) {
	t.Helper()
	for i := range want {
		if got[i].String() != want[i].String() || !bytes.Equal(got[i].Data, want[i].Data) {
			t.Errorf("output %d: %s differs from %s", i, got[i], want[i])
		}
	}
}
