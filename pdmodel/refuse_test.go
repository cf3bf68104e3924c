package pdmodel_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/pdmodel"
)

// TestUnsupportedFiles: all missing operators are listed, each as often as the
// README beside the files counts it.
func TestUnsupportedFiles(t *testing.T) {
	for _, tc := range []struct {
		file  string
		first pdmodel.UnsupportedOp
		count map[string]int
	}{
		{"custom-gap/custom_gap.pdmodel", pdmodel.UnsupportedOp{Index: 7, Type: "gap"}, map[string]int{"gap": 1}},
		{"lstm-adam/LSTMModel.pdmodel", pdmodel.UnsupportedOp{Index: 1, Type: "fill_constant_batch_size_like"},
			map[string]int{"fill_constant_batch_size_like": 2, "rnn": 1}},
		{"efficientgcn-xsub/xsub.pdmodel", pdmodel.UnsupportedOp{Index: 12, Type: "fill_constant"}, map[string]int{
			"while": 11, "fill_constant": 11, "less_than": 22, "shape": 22, "reduce_sum": 11, "set_value": 11, "split": 8, "conv3d": 1, "pool3d": 1}},
	} {
		_, err := realProgram(t, tc.file).Graph()
		var unsupported *pdmodel.UnsupportedError
		if !errors.As(err, &unsupported) {
			t.Errorf("%s: %v", tc.file, err)
			continue
		}
		if unsupported.Ops[0] != tc.first {
			t.Errorf("%s: first %s, want %s", tc.file, unsupported.Ops[0], tc.first)
		}
		for _, op := range unsupported.Ops {
			tc.count[op.Type]--
		}
		for typ, n := range tc.count {
			if n != 0 {
				t.Errorf("%s: %d of %s too few", tc.file, n, typ)
			}
		}
	}
}

// TestRefusedUses: operators with attributes or operands that would change the
// result in a way that has no translation.
func TestRefusedUses(t *testing.T) {
	text := func(name, v string) pdmodel.Attr { return pdmodel.Attr{Name: name, Type: pdmodel.AttrString, Value: v} }
	flag := func(name string, v bool) pdmodel.Attr {
		return pdmodel.Attr{Name: name, Type: pdmodel.AttrBool, Value: v}
	}
	number := func(name string, v float32) pdmodel.Attr {
		return pdmodel.Attr{Name: name, Type: pdmodel.AttrFloat, Value: v}
	}
	integer := func(name string, v int32) pdmodel.Attr {
		return pdmodel.Attr{Name: name, Type: pdmodel.AttrInt, Value: v}
	}
	ints := func(name string, v ...int32) pdmodel.Attr {
		return pdmodel.Attr{Name: name, Type: pdmodel.AttrInts, Value: v}
	}
	type operands = map[string][]string
	conv := operands{"Input": {"x"}, "Filter": {"w"}}
	unary := operands{"X": {"x"}}
	norm := operands{"X": {"x"}, "Scale": {"v"}, "Bias": {"v"}, "Mean": {"v"}, "Variance": {"v"}}
	for _, tc := range []struct {
		typ    string
		in     operands
		attrs  []pdmodel.Attr
		reason string
	}{
		{"conv2d", conv, []pdmodel.Attr{text("data_format", "NHWC")}, "data_format NHWC, want NCHW"},
		{"conv2d", conv, []pdmodel.Attr{number("Scale_in", 0.5)}, "quantised: Scale_in 0.5"},
		{"conv2d", conv, []pdmodel.Attr{flag("force_fp32_output", true)}, "quantised"},
		{"conv2d", conv, []pdmodel.Attr{flag("enable_int8", true)}, "quantised"},
		{"conv2d", conv, []pdmodel.Attr{text("fuse_activation", "swish")}, "fused activation swish"},
		{"conv2d", conv, []pdmodel.Attr{text("padding_algorithm", "ODD")}, "padding_algorithm ODD"},
		{"conv2d", conv, []pdmodel.Attr{ints("paddings", 1, 1, 1)}, "want 2 or 4 numbers"},
		{"conv2d", conv, []pdmodel.Attr{ints("strides", 0, 0)}, "stride 0"},
		{"conv2d", conv, []pdmodel.Attr{text("groups", "2")}, "attribute groups has an unusual type"},
		{"conv2d", operands{"Input": {"w"}, "Filter": {"x"}}, nil, "Filter is computed"},
		{"conv2d", operands{"Input": {"x"}, "Filter": {"i"}}, nil, "parameter i is int64"},
		{"conv2d", operands{"Input": {"x"}, "Filter": {"nowhere"}}, nil, "nothing computes nowhere"},
		{"conv2d_fusion", conv, []pdmodel.Attr{ints("split_channels", 1, 1)}, "split_channels"},
		{"batch_norm", norm, nil, "exported in training mode"},
		{"batch_norm", norm, []pdmodel.Attr{flag("is_test", true), flag("trainable_statistics", true)}, "exported in training mode"},
		{"batch_norm", norm, []pdmodel.Attr{flag("is_test", true), text("data_layout", "NHWC")}, "data_layout NHWC"},
		{"dropout", unary, nil, "exported in training mode"},
		{"pool2d", unary, []pdmodel.Attr{text("pooling_type", "lp")}, `pooling_type "lp"`},
		{"pool2d", unary, []pdmodel.Attr{text("pooling_type", "avg"), ints("ksize", 3, 3), flag("adaptive", true)}, "unequal size"},
		{"pool2d", unary, []pdmodel.Attr{text("pooling_type", "max"), ints("ksize", 2, 2), ints("strides", 3, 3), flag("ceil_mode", true)}, "beyond the image"},
		{"relu6", unary, []pdmodel.Attr{number("threshold", 1)}, "threshold 1"},
		{"hard_swish", unary, []pdmodel.Attr{number("scale", 3)}, "scale 3"},
		{"reshape2", operands{"X": {"x"}, "ShapeTensor": {"v", "v"}}, nil, "ShapeTensor is given as a tensor"},
		{"reshape2", unary, []pdmodel.Attr{{Name: "shape", Type: pdmodel.AttrVar, Value: "v"}}, "no list of integers"},
		{"reshape2", unary, []pdmodel.Attr{ints("shape", 7, 7)}, "reshape"},
		{"concat", operands{"X": {"x", "x"}, "AxisTensor": {"v"}}, nil, "AxisTensor is given as a tensor"},
		{"slice", operands{"Input": {"x"}, "StartsTensor": {"v"}}, nil, "StartsTensor is given as a tensor"},
		{"squeeze2", operands{"X": {"x"}, "AxesTensor": {"v"}}, nil, "AxesTensor is given as a tensor"},
		{"transpose2", unary, []pdmodel.Attr{ints("axis", 0, 9, 1, 2)}, "axis 9 of 4"},
		{"transpose2", unary, []pdmodel.Attr{ints("axis", 0, 1, 1, 2)}, "is not an order of the axes"},
		{"softmax", unary, []pdmodel.Attr{integer("axis", 4)}, "axis 4 of 4"},
		{"matmul_v2", operands{"X": {"x"}, "Y": {"x"}}, nil, "Y is computed"},
		{"matmul", operands{"X": {"x"}, "Y": {"w"}}, nil, "want 2 axes"},
		{"matmul", operands{"X": {"x"}, "Y": {"m"}}, []pdmodel.Attr{ints("fused_reshape_X", 0, 1)}, "fused_reshape_X"},
		{"elementwise_add", operands{"X": {"x"}, "Y": {"v"}}, []pdmodel.Attr{integer("axis", 4)}, "does not fit"},
		{"temporal_shift", unary, []pdmodel.Attr{integer("seg_num", 1), number("shift_ratio", 0.25)}, "groups of 0.25 of 2 channels"},
		{"cast", unary, []pdmodel.Attr{integer("in_dtype", 5), integer("out_dtype", 3)}, "from float32 to int64"},
		{"unsqueeze2", unary, []pdmodel.Attr{ints("axes", 0, 0, 0, 0, 0, 0)}, "axes"},
	} {
		b := &block{}
		b.feed("x", 1, 2, 4, 4)
		b.param("w", 2, 2, 1, 1)
		b.param("v", 2)
		b.param("m", 4, 5)
		b.param("i", 2, 2, 1, 1).Tensor.Type = pdmodel.Int64
		out := operands{"Out": {"y"}, "Output": {"y"}, "Y": {"y"}}
		b.op(tc.typ, tc.in, out, tc.attrs...)
		_, err := b.fetch("y").Graph()
		var unsupported *pdmodel.UnsupportedError
		if !errors.As(err, &unsupported) || len(unsupported.Ops) != 1 {
			t.Errorf("%s %v: %v", tc.typ, tc.attrs, err)
			continue
		}
		op := unsupported.Ops[0]
		if op.Block != 0 || op.Index != 1 || op.Type != tc.typ || !strings.Contains(op.Reason, tc.reason) {
			t.Errorf("%s %v: %q, want %q", tc.typ, tc.attrs, op, tc.reason)
		}
	}
}

// TestNotForInference: programs that are valid but have no inputs or outputs,
// or others than floats.
func TestNotForInference(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*pdmodel.Program)
		reason string
	}{
		{"no feed", func(p *pdmodel.Program) { p.Blocks[0].Ops = p.Blocks[0].Ops[1:] }, "no feed operator"},
		{"no fetch", func(p *pdmodel.Program) { p.Blocks[0].Ops = p.Blocks[0].Ops[:2] }, "no fetch operator"},
		{"integers", func(p *pdmodel.Program) { p.Blocks[0].Vars[0].Tensor.Type = pdmodel.Int64 }, "input x int64"},
		{"no shape", func(p *pdmodel.Program) { p.Blocks[0].Vars = nil }, "input x"},
		{"empty shape", func(p *pdmodel.Program) { p.Blocks[0].Vars[0].Tensor.Dims[1] = 0 }, "no such shape"},
		{"fed twice", func(p *pdmodel.Program) { p.Blocks[0].Ops = slices.Insert(p.Blocks[0].Ops, 0, p.Blocks[0].Ops[0]) }, "fed twice"},
	} {
		b := &block{}
		b.feed("x", 2, 3)
		b.op("relu", map[string][]string{"X": {"x"}}, map[string][]string{"Out": {"y"}})
		p := b.fetch("y")
		tc.change(p)
		_, err := p.Graph()
		var unsupported *pdmodel.UnsupportedError
		if !errors.As(err, &unsupported) || !strings.Contains(unsupported.Msg, tc.reason) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}
