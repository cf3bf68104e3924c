package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
)

// place is a machine with so many GPUs, of which libtorch sees some. Absent
// libraries are errors.
func place(gpus, seen int, torch, cuda error) machine {
	return machine{
		torch: func() (int, error) { return seen, torch },
		ort:   func(graph.Precision) error { return cuda },
		gpus:  func() int { return gpus },
	}
}

var (
	errNoTorch = errors.New("no shim")
	errNoCUDA  = errors.New("providers_cuda is missing")
)

func TestChoose(t *testing.T) {
	bare, gpuUnused := place(0, 0, errNoTorch, errNoCUDA), place(2, 2, nil, nil)
	onlyORT := place(1, 0, errNoTorch, nil)
	for _, tc := range []struct {
		name    string
		on      machine
		o       Options
		want    Kind
		reasons string // parts of the reasons, in order, separated by |
	}{
		{"nothing said", bare, Options{}, OneDNN, "onednn: the fastest on a CPU"},
		{"auto", bare, Options{Kind: Auto}, OneDNN, "onednn"},
		{"bf16", bare, Options{Precision: graph.BF16}, OneDNN, "onednn"},
		{"int8", bare, Options{Precision: graph.INT8}, OneDNN, "onednn"},
		{"a GPU is never taken unasked", gpuUnused, Options{}, OneDNN, "onednn|2 GPUs are here, and none is used"},
		{"one GPU", onlyORT, Options{}, OneDNN, "onednn|1 GPU is here"},
		{"GPU asked", gpuUnused, Options{GPU: true}, Torch, "torch: a GPU was asked for, and libtorch sees 2 CUDA devices"},
		{"second GPU in fp16", gpuUnused, Options{GPU: true, Device: 1, Precision: graph.FP16}, Torch, "torch"},
		{"GPU without libtorch", onlyORT, Options{GPU: true}, ORT, "ort: a GPU was asked for|not torch: no shim"},
		{"TensorRT", gpuUnused, Options{TensorRT: true, Precision: graph.INT8}, ORT, "TensorRT"},
		{"TensorRT on a GPU", gpuUnused, Options{TensorRT: true, GPU: true, Precision: graph.FP16}, ORT, "TensorRT"},
		{"OpenVINO", bare, Options{OpenVINO: true}, ORT, "OpenVINO"},
		{"named", bare, Options{Kind: Torch}, Torch, "torch: it was asked for"},
		{"named with a GPU", bare, Options{Kind: Torch, GPU: true, Precision: graph.FP16}, Torch, "asked"},
		{"fp16 on the CPU by force", bare, Options{Kind: Torch, Precision: graph.FP16, Force: true}, Torch, "asked"},
		{"ort on a GPU", bare, Options{Kind: ORT, GPU: true}, ORT, "asked"},
	} {
		got, err := choose(tc.o, tc.on)
		if err != nil || got.kind != tc.want {
			t.Errorf("%s: %q, error %v, want %q", tc.name, got.kind, err, tc.want)
			continue
		}
		parts := strings.Split(tc.reasons, "|")
		if len(got.reasons) != len(parts) {
			t.Errorf("%s: reasons are %q, want %d", tc.name, got.reasons, len(parts))
			continue
		}
		for i, part := range parts {
			if !strings.Contains(got.reasons[i], part) {
				t.Errorf("%s: reason %q, want %q in it", tc.name, got.reasons[i], part)
			}
		}
	}
}

func TestChooseRefuses(t *testing.T) {
	full, bare := place(1, 1, nil, nil), place(1, 0, errNoTorch, errNoCUDA)
	for _, tc := range []struct {
		name string
		on   machine
		o    Options
		want string // parts of the error, separated by |
	}{
		{"unknown engine", full, Options{Kind: "paddle"}, `no engine "paddle"|onednn`},
		{"onednn on a GPU", full, Options{Kind: OneDNN, GPU: true}, "onednn runs on the CPU|torch"},
		{"onednn with TensorRT", full, Options{Kind: OneDNN, TensorRT: true}, "within ONNX Runtime"},
		{"torch with TensorRT", full, Options{Kind: Torch, TensorRT: true}, "within ONNX Runtime|not torch"},
		{"torch with OpenVINO", full, Options{Kind: Torch, OpenVINO: true}, "within ONNX Runtime"},
		{"both", full, Options{TensorRT: true, OpenVINO: true}, "choose one"},
		{"OpenVINO on a GPU", full, Options{OpenVINO: true, GPU: true}, "OpenVINO is used for the CPU"},
		{"GPU below 0", full, Options{GPU: true, Device: -1}, "GPU -1"},
		{"GPU named only", full, Options{Device: 1}, "GPU 1 was named, but not asked for"},
		{"GPU beyond", full, Options{GPU: true, Device: 1}, "GPU 1|1 CUDA device,"},
		{"fp16 on the CPU", full, Options{Precision: graph.FP16}, "fp16 needs a GPU|bf16"},
		{"fp16 on the CPU, forced, by auto", full, Options{Precision: graph.FP16, Force: true}, "fp16 needs a GPU"},
		{"fp16 on the CPU with torch", full, Options{Kind: Torch, Precision: graph.FP16}, "fp16 needs a GPU"},
		{"fp16 with onednn", full, Options{Kind: OneDNN, Precision: graph.FP16, Force: true}, "onednn does not compute in fp16"},
		{"int8 with torch", full, Options{Kind: Torch, Precision: graph.INT8}, "torch does not compute in int8: onednn and ort do"},
		{"int8 on a GPU", full, Options{GPU: true, Precision: graph.INT8}, "TensorRT"},
		{"no way to a GPU", bare, Options{GPU: true}, "no shim|providers_cuda is missing|1 NVIDIA GPU is in this machine"},
	} {
		got, err := choose(tc.o, tc.on)
		if err == nil {
			t.Errorf("%s: %q is chosen, want an error", tc.name, got.kind)
			continue
		}
		for _, part := range strings.Split(tc.want, "|") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %q does not say %q", tc.name, err, part)
			}
		}
	}
	if _, err := choose(Options{GPU: true}, bare); !errors.Is(err, errNoTorch) || !errors.Is(err, errNoCUDA) {
		t.Errorf("%v does not wrap what is missing", err)
	}
}

// What a machine lacks is said with what to do. This one may lack nothing.
func TestLackIsNamed(t *testing.T) {
	if n, err := torchDevices(); n == 0 && (err == nil || !strings.Contains(err.Error(), "torch: ")) {
		t.Errorf("libtorch sees %d devices, error is %v", n, err)
	}
	if err := ortCUDA(graph.BF16); err == nil || !strings.Contains(err.Error(), "bf16") {
		t.Errorf("ONNX Runtime in bf16 on CUDA: error is %v", err)
	}
}
