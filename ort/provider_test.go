package ort

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
)

// The keys are those of ONNX Runtime's page on its TensorRT provider.
func TestTensorRTOptions(t *testing.T) {
	x := input{"x", []int{graph.Unknown, 3, 224, 224}}
	for _, tc := range []struct {
		name   string
		o      Options
		folder string
		want   map[string]string
	}{
		{"fp32", Options{MaxBatch: 250}, "", map[string]string{"device_id": "0",
			"trt_profile_min_shapes": "x:1x3x224x224", "trt_profile_opt_shapes": "x:250x3x224x224", "trt_profile_max_shapes": "x:250x3x224x224"}},
		{"fp16 on the third GPU, kept", Options{MaxBatch: 8, Precision: graph.FP16, Device: 2, Cache: "kept"}, "kept/12ab", map[string]string{"device_id": "2",
			"trt_fp16_enable": "1", "trt_engine_cache_enable": "1", "trt_engine_cache_path": "kept/12ab",
			"trt_timing_cache_enable": "1", "trt_timing_cache_path": "kept",
			"trt_profile_min_shapes": "x:1x3x224x224", "trt_profile_opt_shapes": "x:8x3x224x224", "trt_profile_max_shapes": "x:8x3x224x224"}},
		{"int8", Options{MaxBatch: 1, Precision: graph.INT8}, "", map[string]string{"device_id": "0", "trt_int8_enable": "1",
			"trt_profile_min_shapes": "x:1x3x224x224", "trt_profile_opt_shapes": "x:1x3x224x224", "trt_profile_max_shapes": "x:1x3x224x224"}},
		{"bf16", Options{MaxBatch: 1, Precision: graph.BF16}, "", map[string]string{"device_id": "0", "trt_bf16_enable": "1",
			"trt_profile_min_shapes": "x:1x3x224x224", "trt_profile_opt_shapes": "x:1x3x224x224", "trt_profile_max_shapes": "x:1x3x224x224"}},
	} {
		got, err := tc.o.tensorRTOptions([]input{x}, tc.folder)
		if err != nil || !maps.Equal(got, tc.want) {
			t.Errorf("%s: %v, %v\nwant %v", tc.name, got, err, tc.want)
		}
	}
}

func TestTensorRTProfiles(t *testing.T) {
	known := input{"k", []int{4, 8}}
	least, most, err := profile([]input{{"x", []int{graph.Unknown, 3, 8, 9}}, known, {"y", []int{graph.Unknown, 7}}}, 5)
	if err != nil || least != "x:1x3x8x9,y:1x7" || most != "x:5x3x8x9,y:5x7" {
		t.Errorf("from %q to %q, %v", least, most, err)
	}
	if least, most, err := profile([]input{known}, 0); least != "" || most != "" || err != nil {
		t.Errorf("known shapes: %q, %q, %v", least, most, err)
	}
	for _, tc := range []struct {
		shape []int
		rows  int
		want  string
	}{
		{[]int{graph.Unknown, 3, graph.Unknown, 9}, 5, "every dimension but the first"},
		{[]int{4, 3, graph.Unknown}, 5, "every dimension but the first"},
		{[]int{graph.Unknown, 3}, 0, "MaxBatch is 0"},
	} {
		if _, _, err := profile([]input{{"x", tc.shape}}, tc.rows); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: error %v", tc, err)
		}
	}
}

func TestOtherProvidersOptions(t *testing.T) {
	o := Options{Device: 3, Threads: 5}
	if got := o.cudaOptions(); !maps.Equal(got, map[string]string{"device_id": "3", "use_tf32": "0"}) {
		t.Errorf("CUDA: %v", got)
	}
	if got := o.openVINOOptions(); !maps.Equal(got, map[string]string{"device_type": "CPU", "precision": "ACCURACY", "num_of_threads": "5"}) {
		t.Errorf("OpenVINO: %v", got)
	}
}

// Engines of two networks never share a folder.
func TestEngineFolder(t *testing.T) {
	o := Options{Provider: TensorRT, Cache: filepath.Join(t.TempDir(), "engines")}
	folders := map[string]bool{}
	for _, model := range []string{"one", "two", "one"} {
		dir, err := o.engineFolder([]byte(model))
		if info, statErr := os.Stat(dir); err != nil || statErr != nil || !info.IsDir() || filepath.Dir(dir) != o.Cache {
			t.Fatalf("%s: %v, %v", dir, err, statErr)
		}
		folders[dir] = true
	}
	if len(folders) != 2 {
		t.Errorf("folders %v, want 2", folders)
	}
	for _, o := range []Options{{Provider: TensorRT}, {Provider: CUDA, Cache: o.Cache}} {
		if dir, err := o.engineFolder([]byte("one")); dir != "" || err != nil {
			t.Errorf("%v keeps engines in %q, %v", o, dir, err)
		}
	}
}

func TestSupports(t *testing.T) {
	for _, tc := range []struct {
		p    Provider
		has  []graph.Precision
		hint string // in each refusal
	}{
		{CPU, []graph.Precision{graph.FP32, graph.INT8}, "onednn"},
		{CUDA, []graph.Precision{graph.FP32, graph.FP16}, "TensorRT"},
		{TensorRT, []graph.Precision{graph.FP32, graph.FP16, graph.BF16, graph.INT8}, ""},
		{OpenVINO, []graph.Precision{graph.FP32, graph.INT8}, "fp32"},
	} {
		has := map[graph.Precision]bool{}
		for _, p := range tc.has {
			has[p] = true
		}
		for _, p := range []graph.Precision{graph.FP32, graph.BF16, graph.FP16, graph.INT8} {
			err := tc.p.Supports(p)
			refused := new(PrecisionError)
			if has[p] && err != nil || !has[p] && (!errors.As(err, &refused) || refused.Precision != p || !strings.Contains(err.Error(), tc.hint)) {
				t.Errorf("%s in %s: %v", tc.p, p, err)
			}
		}
	}
	if err := Provider("rocm").Supports(graph.FP32); err == nil || !strings.Contains(err.Error(), `"rocm"`) {
		t.Errorf("an unknown provider: %v", err)
	}
}

// Which library a search takes; what is too old is named.
func TestSearch(t *testing.T) {
	dir := t.TempDir()
	make := func(names ...string) string {
		sub, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(sub, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return sub
	}
	empty, old := make(), make("libonnxruntime.so.1.21.0")
	cpu := make("libonnxruntime.so.1")
	gpu := make("libonnxruntime.so.1.30.0", "libonnxruntime_providers_cuda.so", "libonnxruntime_providers_shared.so")
	for _, tc := range []struct {
		p       Provider
		folders []string
		want    string
	}{
		{CPU, []string{empty, old, cpu, gpu}, filepath.Join(cpu, "libonnxruntime.so.1")},
		{CUDA, []string{empty, old, cpu, gpu}, filepath.Join(gpu, "libonnxruntime.so.1.30.0")},
		{TensorRT, []string{cpu, gpu}, filepath.Join(cpu, "libonnxruntime.so.1")}, // to say what it lacks
	} {
		if got, err := search(tc.p, tc.folders); got != tc.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", tc.p, got, err, tc.want)
		}
	}
	_, err := search(CPU, []string{empty, old})
	if absent := new(NotFoundError); !errors.As(err, &absent) || !strings.Contains(err.Error(), "libonnxruntime.so.1.21.0 is too old") {
		t.Errorf("error %v", err)
	}
}
