package ort

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// A Provider is what ONNX Runtime computes with: an execution provider, as it
// calls them.
type Provider string

// The providers.
const (
	CPU      Provider = "cpu"      // ONNX Runtime's own kernels
	CUDA     Provider = "cuda"     // cuDNN and cuBLAS on an NVIDIA GPU
	TensorRT Provider = "tensorrt" // TensorRT on an NVIDIA GPU; what it leaves goes to CUDA
	OpenVINO Provider = "openvino" // OpenVINO on the CPU
)

// A PrecisionError refuses an arithmetic that a provider does not have.
type PrecisionError struct {
	Provider  Provider
	Precision graph.Precision
	Reason    string // a sentence, with what to do instead
}

// Error names both and the reason.
func (e *PrecisionError) Error() string {
	return fmt.Sprintf("ort: %s in %s: %s", e.Provider, e.Precision, e.Reason)
}

// Supports reports why a provider cannot compute in a precision; nil if it can.
func (p Provider) Supports(precision graph.Precision) error {
	no := func(reason string) error { return &PrecisionError{p, precision, reason} }
	switch p {
	case CPU:
		switch precision {
		case graph.FP16, graph.BF16:
			return no("ONNX Runtime's CPU provider converts such numbers to float32 before each operation: take fp32, int8 of a quantised model, or the engine onednn")
		}
	case CUDA:
		switch precision {
		case graph.BF16:
			return no("ONNX Runtime's CUDA provider has no convolutions in bfloat16: take fp16, or TensorRT")
		case graph.INT8:
			return no("ONNX Runtime's CUDA provider has no convolutions of integers: take TensorRT")
		}
	case OpenVINO:
		switch precision {
		case graph.FP16, graph.BF16:
			return no("OpenVINO on a CPU chooses such arithmetic by itself, if at all: take fp32, or int8 of a quantised model")
		}
	case TensorRT:
	default:
		return fmt.Errorf("ort: there is no provider %q: want cpu, cuda, tensorrt or openvino", string(p))
	}
	return nil
}

// cudaOptions are what the CUDA provider is told. TF32 would round float32
// numbers to 10 bits.
func (o Options) cudaOptions() map[string]string {
	return map[string]string{"device_id": strconv.Itoa(o.Device), "use_tf32": "0"}
}

// openVINOOptions are what the OpenVINO provider is told. ACCURACY keeps the
// numbers' types as the file has them.
func (o Options) openVINOOptions() map[string]string {
	return map[string]string{"device_type": "CPU", "precision": "ACCURACY", "num_of_threads": strconv.Itoa(o.threads())}
}

// tensorRTOptions are what the TensorRT provider is told. An engine is built for
// any number of rows up to MaxBatch, and tuned for that number. Engines of
// different weights would have the same name, so folder is of this network
// alone; what TensorRT has measured of single layers is shared by all. Without a
// folder nothing is kept.
func (o Options) tensorRTOptions(inputs []input, folder string) (map[string]string, error) {
	m := map[string]string{"device_id": strconv.Itoa(o.Device)}
	switch o.Precision {
	case graph.FP16:
		m["trt_fp16_enable"] = "1"
	case graph.BF16:
		m["trt_bf16_enable"] = "1"
	case graph.INT8:
		m["trt_int8_enable"] = "1"
	}
	if folder != "" {
		m["trt_engine_cache_enable"], m["trt_engine_cache_path"] = "1", folder
		m["trt_timing_cache_enable"], m["trt_timing_cache_path"] = "1", o.Cache
	}
	least, most, err := profile(inputs, o.MaxBatch)
	if err != nil {
		return nil, err
	}
	if least != "" {
		m["trt_profile_min_shapes"], m["trt_profile_opt_shapes"], m["trt_profile_max_shapes"] = least, most, most
	}
	return m, nil
}

// An input is one of a network, with graph.Unknown where its shape is open.
type input struct {
	name  string
	shape []int
}

// profile writes the least and the largest shapes of the inputs whose number of
// rows is open as TensorRT's provider reads them: x:1x3x224x224,y:1x8.
func profile(inputs []input, rows int) (least, most string, _ error) {
	var small, large []string
	for _, in := range inputs {
		if !slices.Contains(in.shape, graph.Unknown) {
			continue
		}
		if in.shape[0] != graph.Unknown || slices.Contains(in.shape[1:], graph.Unknown) {
			return "", "", fmt.Errorf("input %s %s: TensorRT needs every dimension but the first", in.name, tensor.ShapeString(in.shape))
		}
		if rows < 1 {
			return "", "", fmt.Errorf("TensorRT must know the largest batch: MaxBatch is %d", rows)
		}
		small = append(small, in.name+":"+times(1, in.shape[1:]))
		large = append(large, in.name+":"+times(rows, in.shape[1:]))
	}
	return strings.Join(small, ","), strings.Join(large, ","), nil
}

func times(rows int, rest []int) string {
	s := strconv.Itoa(rows)
	for _, d := range rest {
		s += "x" + strconv.Itoa(d)
	}
	return s
}
