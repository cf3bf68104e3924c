package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
)

// engineFlags say what runs a network. Commands that run one share them.
type engineFlags struct {
	kind      string
	precision string // "" is fp32, or int8 where the model has scales
	threads   int
	gpu       int
	force     bool
	verbose   bool

	useGPU, useTensorRT, useOpenVINO *pythonBool
}

func (e *engineFlags) add(f *pflag.FlagSet) {
	f.StringVar(&e.kind, "engine", "auto", "what runs the network: auto, onednn, torch or ort (see -v)")
	f.StringVar(&e.precision, "precision", "", "arithmetic of the network: fp32, bf16, fp16 or int8 (default: fp32, of a quantised model int8)")
	e.useGPU = boolFlag(f, "use_gpu", false, "run on a CUDA GPU")
	f.IntVar(&e.gpu, "gpu_id", 0, "which GPU, from 0")
	e.useTensorRT = boolFlag(f, "use_tensorrt", false, "run with TensorRT, which needs ONNX Runtime and a GPU")
	e.useOpenVINO = boolFlag(f, "use_openvino", false, "run with OpenVINO, which needs ONNX Runtime")
	f.IntVar(&e.threads, "cpu_threads", 0, "cores for the network (default: all)")
	f.BoolVar(&e.force, "force", false, "compute in --precision even where the processor has no instructions for it")
	f.BoolVarP(&e.verbose, "verbose", "v", false, "say which engine runs, and why")
}

// validate reports flags that contradict each other, before a model is read.
func (e *engineFlags) validate() error {
	kind := engine.Kind(e.kind)
	switch kind {
	case engine.Auto, engine.OneDNN, engine.Torch, engine.ORT:
	default:
		return usagef("--engine %q: want auto, onednn, torch or ort", e.kind)
	}
	if e.precision != "" {
		if _, err := graph.ParsePrecision(e.precision); err != nil {
			return usagef("--%w", err)
		}
	}
	gpu, tensorRT, openVINO := bool(*e.useGPU), bool(*e.useTensorRT), bool(*e.useOpenVINO)
	switch {
	case tensorRT && openVINO:
		return usagef("--use_tensorrt and --use_openvino are two ways to run: choose one")
	case openVINO && gpu:
		return usagef("--use_openvino runs on the CPU: leave out --use_gpu")
	case (tensorRT || openVINO) && kind != engine.Auto && kind != engine.ORT:
		return usagef("TensorRT and OpenVINO run within ONNX Runtime: leave out --engine %s, or say --engine ort", e.kind)
	case gpu && kind == engine.OneDNN:
		return usagef("--engine onednn runs on the CPU: leave out --use_gpu, or say --engine torch")
	case e.gpu < 0 || e.threads < 0:
		return usagef("--gpu_id and --cpu_threads cannot be negative")
	case e.gpu > 0 && !gpu && !tensorRT:
		return usagef("--gpu_id %d: add --use_gpu", e.gpu)
	}
	return nil
}

// options are the flags as a network with those scales wants them; scales are
// nil if it is not quantised. MaxViews is left to the caller.
func (e *engineFlags) options(scales graph.Scales) (engine.Options, error) {
	if err := e.validate(); err != nil {
		return engine.Options{}, err
	}
	o := engine.Options{
		Kind:     engine.Kind(e.kind),
		Force:    e.force,
		GPU:      bool(*e.useGPU) || bool(*e.useTensorRT),
		Device:   e.gpu,
		TensorRT: bool(*e.useTensorRT),
		OpenVINO: bool(*e.useOpenVINO),
		Threads:  e.threads,
		Cache:    engineCache(),
	}
	switch {
	case e.precision != "":
		o.Precision, _ = graph.ParsePrecision(e.precision)
	case len(scales) > 0:
		o.Precision = graph.INT8
	}
	if o.Precision == graph.INT8 {
		if len(scales) == 0 {
			return o, fmt.Errorf("--precision int8: the model is not quantised: make a quantised copy with pptsn quantize -m MODEL --videos LIST -o FOLDER")
		}
		o.Scales = scales
	}
	return o, nil
}

// engineCache is the folder of engines that TensorRT built; "" if there is no
// place for one. Beside what is known of videos, see probe.OpenCache.
func engineCache() string {
	dir := os.Getenv("PPTSN_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(user, "pptsn")
	}
	return filepath.Join(dir, "tensorrt")
}

// explain says with -v which engine runs, and why.
func (e *engineFlags) explain(w io.Writer, run *engine.Engine) {
	if !e.verbose {
		return
	}
	fmt.Fprintf(w, "pptsn: the network runs with %s in %s\n", run.Kind(), run.Precision())
	for _, reason := range run.Reasons() {
		fmt.Fprintf(w, "pptsn:   %s\n", reason)
	}
}
