package pdmodel_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/pdmodel"
	"github.com/pptsn/pptsn/tensor"
)

// TestPair gives a program parameters that are not its own.
func TestPair(t *testing.T) {
	const file = "custom-gap/custom_gap.pdmodel"
	own := realProgram(t, file)
	for _, tc := range []struct {
		name   string
		change func(*pdmodel.Program) // the program that the parameters are written for
		want   pdmodel.PairError
	}{
		{"another shape", func(p *pdmodel.Program) { p.Params()[3].Tensor.Dims[0] = 5 },
			pdmodel.PairError{Index: 3, Tensor: "conv2d_1.w_0", Want: "float32 [3, 6, 3, 3]", Got: "float32 [5, 6, 3, 3]"}},
		{"another rank", func(p *pdmodel.Program) { p.Params()[0].Tensor.Dims = []int64{6, 1} },
			pdmodel.PairError{Index: 0, Tensor: "conv2d_0.b_0", Want: "float32 [6]", Got: "float32 [6, 1]"}},
		{"another type", func(p *pdmodel.Program) { p.Params()[5].Tensor.Type = pdmodel.Float16 },
			pdmodel.PairError{Index: 5, Tensor: "linear_0.w_0", Want: "float32 [96, 1]", Got: "float16 [96, 1]"}},
		{"one too few", func(p *pdmodel.Program) { p.Params()[5].Persistable = new(false) },
			pdmodel.PairError{Index: 5, Tensor: "linear_0.w_0", Want: "float32 [96, 1]", Got: "no more tensors"}},
		{"one too many", func(p *pdmodel.Program) { p.Blocks[0].Vars = append(p.Blocks[0].Vars, extra()) },
			pdmodel.PairError{Index: 6, Want: "the end of the file", Got: "26 more bytes"}},
	} {
		other := realProgram(t, file)
		tc.change(other)
		data := zeros(t, other)
		_, err := pdmodel.ReadParams(bytes.NewReader(data), int64(len(data)), own)
		tc.want.Total = 6
		var pair *pdmodel.PairError
		if !errors.As(err, &pair) || *pair != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, err, &tc.want)
		}
	}
}

// TestPairOfModels gives a model the parameters of another.
func TestPairOfModels(t *testing.T) {
	data := realFile(t, "lstm-adam/LSTMModel.pdiparams")
	p := realProgram(t, mobilenet+"inference.pdmodel")
	_, err := pdmodel.ReadParams(bytes.NewReader(data), int64(len(data)), p)
	var pair *pdmodel.PairError
	if !errors.As(err, &pair) || pair.Index != 0 || pair.Tensor != "batch_norm_0.b_0" || pair.Got != "float32 [2]" {
		t.Error(err)
	}
}

// extra is a parameter that sorts behind all others, of 26 bytes: version 4,
// level count 8, version 4, length 4, description 4, values 2.
func extra() *pdmodel.Var {
	v := lodTensor("zzz", []int64{2})
	v.Persistable = new(true)
	v.Tensor.Type = pdmodel.Uint8
	return v
}

func zeros(t *testing.T, p *pdmodel.Program) []byte {
	t.Helper()
	values := map[string]*tensor.Dense{}
	for _, v := range p.Params() {
		typ, _ := v.Tensor.Type.Tensor()
		values[v.Name] = tensor.New(typ, shapeOf(v)...)
	}
	var out bytes.Buffer
	if err := pdmodel.WriteParams(&out, p, values); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func shapeOf(v *pdmodel.Var) []int {
	var shape []int
	for _, d := range v.Tensor.Dims {
		shape = append(shape, int(d))
	}
	return shape
}

// TestWeights converts what graphs do not take.
func TestWeights(t *testing.T) {
	half := tensor.New(tensor.Float16, 2)
	copy(half.Data, []byte{0x00, 0x3c, 0x00, 0xc0})
	double := tensor.New(tensor.Float64, 1)
	copy(double.Data, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f})
	w, err := pdmodel.Weights(map[string]*tensor.Dense{"half": half, "double": double, "state": tensor.New(tensor.Uint8, 3)})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(w["half"].Float32s(), []float32{1, -2}) || !slices.Equal(w["double"].Float32s(), []float32{1.5}) || len(w) != 2 {
		t.Errorf("%v", w)
	}
}
