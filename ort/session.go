package ort

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// withSession calls open with the options of a session for an ONNX model, by
// whose bytes, if there are any, engines of TensorRT are kept.
func withSession(o Options, inputs []input, model []byte, open func(*onnxruntime.SessionOptions) error) error {
	library, err := o.load()
	if err != nil {
		return err
	}
	folder, err := o.engineFolder(model)
	if err != nil {
		return err
	}
	s, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return err
	}
	defer s.Destroy()
	if err := o.set(s); err != nil {
		return err
	}
	if err := o.appendProvider(s, library, inputs, folder); err != nil {
		return err
	}
	return open(s)
}

// load loads a library that has the provider.
func (o Options) load() (string, error) {
	if err := o.check(); err != nil {
		return "", err
	}
	library, err := loadFor(o.provider(), o.Library)
	if err != nil {
		return "", err
	}
	return library, o.provider().check(library)
}

func (o Options) check() error {
	if o.Threads < 0 || o.Device < 0 {
		return fmt.Errorf("%d threads on device %d", o.Threads, o.Device)
	}
	return o.provider().Supports(o.Precision)
}

// engineFolder makes the folder of TensorRT's engines for a model; "" if none
// are kept.
func (o Options) engineFolder(model []byte) (string, error) {
	if o.Provider != TensorRT || o.Cache == "" || model == nil {
		return "", nil
	}
	sum := sha256.Sum256(model)
	folder := filepath.Join(o.Cache, hex.EncodeToString(sum[:8]))
	return folder, os.MkdirAll(folder, 0o755)
}

func (o Options) provider() Provider {
	if o.Provider == "" {
		return CPU
	}
	return o.Provider
}

func (o Options) threads() int {
	if o.Threads == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return o.Threads
}

func (o Options) set(s *onnxruntime.SessionOptions) error {
	if err := s.SetIntraOpNumThreads(o.threads()); err != nil {
		return err
	}
	if err := s.SetGraphOptimizationLevel(onnxruntime.GraphOptimizationLevelEnableAll); err != nil {
		return err
	}
	// Processors without VNNI would add products of 8-bit numbers in 16 bits,
	// which overflow; this way they take another, slower instruction.
	if err := s.AddSessionConfigEntry("session.x64quantprecision", "1"); err != nil {
		return err
	}
	if o.Optimized == "" {
		return nil
	}
	return s.SetOptimizedModelFilePath(o.Optimized)
}

// appendProvider puts the provider, and what it falls back to, before ONNX
// Runtime's own kernels.
func (o Options) appendProvider(s *onnxruntime.SessionOptions, library string, inputs []input, folder string) error {
	p := o.provider()
	switch p {
	case TensorRT:
		m, err := o.tensorRTOptions(inputs, folder)
		if err != nil {
			return err
		}
		if err := appendTensorRT(s, m); err != nil {
			return p.explain(library, err)
		}
		return p.explain(library, appendCUDA(s, o.cudaOptions()))
	case CUDA:
		return p.explain(library, appendCUDA(s, o.cudaOptions()))
	case OpenVINO:
		return p.explain(library, s.AppendExecutionProviderOpenVINO(o.openVINOOptions()))
	}
	return nil
}

func appendCUDA(s *onnxruntime.SessionOptions, m map[string]string) error {
	c, err := onnxruntime.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer c.Destroy()
	if err := c.Update(m); err != nil {
		return err
	}
	return s.AppendExecutionProviderCUDA(c)
}

func appendTensorRT(s *onnxruntime.SessionOptions, m map[string]string) error {
	t, err := onnxruntime.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	defer t.Destroy()
	if err := t.Update(m); err != nil {
		return err
	}
	return s.AppendExecutionProviderTensorRT(t)
}

// interfaceOf are the inputs of an ONNX file, and the names of its outputs.
func interfaceOf(path string) (inputs []input, outputs []string, _ error) {
	s, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return nil, nil, err
	}
	defer s.Destroy()
	if err := s.SetGraphOptimizationLevel(onnxruntime.GraphOptimizationLevelDisableAll); err != nil { // it is opened twice
		return nil, nil, err
	}
	in, out, err := onnxruntime.GetInputOutputInfoWithOptions(path, s)
	if err != nil {
		return nil, nil, err
	}
	if len(in) == 0 || len(out) == 0 {
		return nil, nil, fmt.Errorf("%d inputs and %d outputs, want at least one of each", len(in), len(out))
	}
	for _, v := range in {
		inputs, err = append(inputs, input{v.Name, dims(v.Dimensions)}), errors.Join(err, wantFloats(v))
	}
	for _, v := range out {
		outputs, err = append(outputs, v.Name), errors.Join(err, wantFloats(v))
	}
	return inputs, outputs, err
}

func wantFloats(v onnxruntime.InputOutputInfo) error {
	if v.DataType != onnxruntime.TensorElementDataTypeFloat {
		return fmt.Errorf("%s is %s of %s, want arrays of float32", v.Name, v.OrtValueType, v.DataType)
	}
	return nil
}
