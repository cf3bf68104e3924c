package pdmodel_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/pptsn/pptsn/pdmodel"
)

// TestMistakenProgram gives other files for a .pdmodel.
func TestMistakenProgram(t *testing.T) {
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"pointer", realFile(t, "broken/lfs-pointer.pdmodel"), "Git LFS pointer"},
		{"parameters", realFile(t, "custom-gap/custom_gap.pdiparams"), "give the .pdmodel"},
		{"checkpoint", realFile(t, "params/lr-proto2.pdparams"), "pickle"},
		{"names", realFile(t, "lstm-adam/LSTMModel.pdiparams.info"), "pickle"},
		{"onnx", realFile(t, mobilenet+"model.onnx"), ".onnx"},
		{"web page", []byte("<!DOCTYPE html><html>"), "web page"},
		{"zip", []byte("PK\x03\x04rest"), "archive"},
		{"gzip", []byte("\x1f\x8b\x08rest"), "archive"},
		{"tar", append(bytes.Repeat([]byte("a"), 257), "ustar\x00 00"...), "archive"},
		{"JSON", []byte(`{"a": 1}`), "JSON"},
		{"text", []byte("hello, world"), "protobuf"},
		{"another message", []byte{0x22, 0x02, 0x08, 0x00}, "without blocks"},
	} {
		_, err := pdmodel.Parse(tc.data)
		var format *pdmodel.FormatError
		if !errors.As(err, &format) || !strings.Contains(format.Msg, tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
	_, err := pdmodel.Parse(realFile(t, "broken/pir-head.json"))
	var unsupported *pdmodel.UnsupportedError
	if !errors.As(err, &unsupported) || !strings.Contains(unsupported.Msg, "FLAGS_enable_pir_api=0") {
		t.Errorf("PIR program: %v", err)
	}
}

// TestCutProgram cuts a program within its only block, which is its first
// field.
func TestCutProgram(t *testing.T) {
	data := realFile(t, "custom-gap/custom_gap.pdmodel")
	_, _, end := protowire.ConsumeField(data)
	for n := range end {
		_, err := pdmodel.Parse(data[:n])
		var format *pdmodel.FormatError
		if !errors.As(err, &format) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(data), err)
		}
	}
}

// TestMistakenParams gives other files for a .pdiparams.
func TestMistakenParams(t *testing.T) {
	p := realProgram(t, "custom-gap/custom_gap.pdmodel")
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"pointer", realFile(t, "broken/lfs-pointer.pdiparams"), "Git LFS pointer"},
		{"program", realFile(t, "custom-gap/custom_gap.pdmodel"), "give the .pdiparams"},
		{"checkpoint", realFile(t, "params/lr-proto2.pdparams"), "pickle"},
		{"text", []byte("hello, world"), "tensor version"},
	} {
		_, err := pdmodel.ReadParams(bytes.NewReader(tc.data), int64(len(tc.data)), p)
		var format *pdmodel.FormatError
		if !errors.As(err, &format) || !strings.Contains(format.Msg, tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// TestCutParams cuts parameters everywhere. Where a tensor ends the file is
// whole, but of a smaller program.
func TestCutParams(t *testing.T) {
	p, data := realProgram(t, "custom-gap/custom_gap.pdmodel"), realFile(t, "custom-gap/custom_gap.pdiparams")
	pairs := 0
	for n := 1; n < len(data); n++ {
		_, err := pdmodel.ReadParams(bytes.NewReader(data[:n]), int64(n), p)
		var format *pdmodel.FormatError
		var pair *pdmodel.PairError
		switch {
		case errors.As(err, &pair):
			pairs++
		case !errors.As(err, &format):
			t.Fatalf("cut to %d of %d bytes: %v", n, len(data), err)
		}
	}
	if want := len(p.Params()) - 1; pairs != want {
		t.Errorf("%d cuts between tensors, want %d", pairs, want)
	}
}
