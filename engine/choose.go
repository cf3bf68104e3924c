package engine

import (
	"errors"
	"fmt"

	"github.com/pptsn/pptsn/graph"
)

// A choice is an engine and why it was taken.
type choice struct {
	kind    Kind
	reasons []string
}

// choose settles Auto on a machine, and refuses what no engine does. A GPU is
// used only if one was asked for.
func choose(o Options, m machine) (choice, error) {
	if o.Kind == "" {
		o.Kind = Auto
	}
	o.GPU = o.GPU || o.TensorRT
	if err := o.contradiction(); err != nil {
		return choice{}, fmt.Errorf("engine: %w", err)
	}
	switch {
	case o.Kind != Auto:
		return choice{o.Kind, []string{fmt.Sprintf("%s: it was asked for", o.Kind)}}, nil
	case o.TensorRT:
		return choice{ORT, []string{"ort: TensorRT runs within ONNX Runtime"}}, nil
	case o.OpenVINO:
		return choice{ORT, []string{"ort: OpenVINO runs within ONNX Runtime"}}, nil
	case o.GPU:
		return chooseGPU(o, m)
	}
	c := choice{OneDNN, []string{"onednn: the fastest on a CPU"}}
	if n := m.gpus(); n > 0 {
		c.reasons = append(c.reasons, fmt.Sprintf("%s, and none is used, since none was asked for", count(n, "GPU is here", "GPUs are here")))
	}
	return c, nil
}

// contradiction is why the options cannot be met by any machine.
func (o Options) contradiction() error {
	switch o.Kind {
	case Auto, OneDNN, Torch, ORT:
	default:
		return fmt.Errorf("there is no engine %q: want auto, onednn, torch or ort", o.Kind)
	}
	within := o.TensorRT || o.OpenVINO
	switch {
	case o.TensorRT && o.OpenVINO:
		return errors.New("TensorRT and OpenVINO are two ways to run a network: choose one")
	case o.OpenVINO && o.GPU:
		return errors.New("OpenVINO is used for the CPU here: a GPU runs with TensorRT or torch")
	case within && o.Kind != Auto && o.Kind != ORT:
		return fmt.Errorf("TensorRT and OpenVINO run within ONNX Runtime: want engine ort or auto, not %s", o.Kind)
	case o.Kind == OneDNN && o.GPU:
		return errors.New("onednn runs on the CPU: for a GPU want torch, ort or auto")
	case o.Device < 0:
		return fmt.Errorf("GPU %d: they count from 0", o.Device)
	case o.Device > 0 && !o.GPU:
		return fmt.Errorf("GPU %d was named, but not asked for", o.Device)
	}
	return o.imprecise()
}

// imprecise is why no machine computes so in that precision.
func (o Options) imprecise() error {
	switch {
	case o.Precision == graph.INT8 && o.Kind == Torch:
		return errors.New("torch does not compute in int8: onednn and ort do")
	case o.Precision == graph.INT8 && o.GPU && !o.TensorRT:
		return errors.New("int8 on a GPU is what TensorRT does: choose it, or the CPU, or fp16")
	case o.Precision == graph.FP16 && o.Kind == OneDNN:
		return errors.New("onednn does not compute in fp16: on a CPU want bf16, int8 or fp32")
	case o.Precision == graph.FP16 && !o.GPU && !o.OpenVINO && (o.Kind == Auto || !o.Force):
		return errors.New("fp16 needs a GPU: a CPU has few instructions for it or none; want bf16, int8 or fp32 there")
	}
	return nil
}

// chooseGPU takes libtorch, else ONNX Runtime, else says what both lack.
func chooseGPU(o Options, m machine) (choice, error) {
	n, err := m.torch()
	switch {
	case err == nil && o.Device < n:
		return choice{Torch, []string{fmt.Sprintf("torch: a GPU was asked for, and libtorch sees %s", count(n, "CUDA device", "CUDA devices"))}}, nil
	case err == nil:
		return choice{}, fmt.Errorf("engine: GPU %d was asked for: libtorch sees %s, and they count from 0", o.Device, count(n, "CUDA device", "CUDA devices"))
	}
	lack := m.ort(o.Precision)
	if lack == nil {
		return choice{ORT, []string{"ort: a GPU was asked for, and ONNX Runtime has its CUDA provider", fmt.Sprintf("not torch: %v", err)}}, nil
	}
	return choice{}, fmt.Errorf("engine: a GPU was asked for, and no engine here can use one:\n  %w\n  %w\n  %s",
		err, lack, count(m.gpus(), "NVIDIA GPU is in this machine", "NVIDIA GPUs are in this machine"))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}
