package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
)

func parseEngineFlags(t *testing.T, args ...string) *engineFlags {
	t.Helper()
	e, f := &engineFlags{}, pflag.NewFlagSet("test", pflag.ContinueOnError)
	e.add(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngineFlags(t *testing.T) {
	t.Setenv("PPTSN_CACHE", "/c")
	scales := graph.Scales{"x": {Scale: 1}}
	for _, tc := range []struct {
		args   string
		scales graph.Scales
		want   engine.Options
	}{
		{"", nil, engine.Options{Kind: engine.Auto}},
		{"", scales, engine.Options{Kind: engine.Auto, Precision: graph.INT8, Scales: scales}},
		{"--precision fp32", scales, engine.Options{Kind: engine.Auto}},
		{"--precision int8 --cpu_threads 3", scales, engine.Options{Kind: engine.Auto, Precision: graph.INT8, Scales: scales, Threads: 3}},
		{"--engine onednn --precision bf16 --force", nil, engine.Options{Kind: engine.OneDNN, Precision: graph.BF16, Force: true}},
		{"--use_gpu=True --gpu_id 2 --engine torch --precision fp16", nil, engine.Options{Kind: engine.Torch, GPU: true, Device: 2, Precision: graph.FP16}},
		{"--use_gpu True --use_tensorrt=1", nil, engine.Options{Kind: engine.Auto, GPU: true, TensorRT: true}},
		{"--use_tensorrt True", nil, engine.Options{Kind: engine.Auto, GPU: true, TensorRT: true}},
		{"--use_openvino True --engine ort", nil, engine.Options{Kind: engine.ORT, OpenVINO: true}},
	} {
		tc.want.Cache = "/c/tensorrt"
		got, err := parseEngineFlags(t, strings.Fields(tc.args)...).options(tc.scales)
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%q: %+v, %v; want %+v", tc.args, got, err, tc.want)
		}
	}
}

// What cannot be carried out is said before a model is read, and how it can be.
func TestEngineFlagsThatContradict(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"--engine tensorflow", "want auto, onednn, torch or ort"},
		{"--precision int4", "want fp32, bf16, fp16 or int8"},
		{"--use_tensorrt True --use_openvino True", "choose one"},
		{"--use_openvino True --use_gpu True", "leave out --use_gpu"},
		{"--use_tensorrt True --engine torch", "--engine ort"},
		{"--use_openvino True --engine onednn", "--engine ort"},
		{"--use_gpu True --engine onednn", "--engine torch"},
		{"--gpu_id 1", "add --use_gpu"},
		{"--gpu_id -1", "negative"},
		{"--cpu_threads -1", "negative"},
	} {
		_, err := parseEngineFlags(t, strings.Fields(tc.args)...).options(nil)
		if _, ok := errors.AsType[usageError](err); !ok || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: error %v, want one of usage with %q", tc.args, err, tc.want)
		}
	}
	_, err := parseEngineFlags(t, "--precision", "int8").options(nil)
	if err == nil || !strings.Contains(err.Error(), "pptsn quantize -m MODEL") {
		t.Errorf("int8 without scales: error %v", err)
	}
}
