package ort

import (
	"fmt"
	"runtime"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// withSession calls open with the options of a session.
func withSession(o Options, open func(*onnxruntime.SessionOptions) error) error {
	if o.Threads < 0 {
		return fmt.Errorf("%d threads", o.Threads)
	}
	if _, err := Load(o.Library); err != nil {
		return err
	}
	s, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return err
	}
	defer s.Destroy()
	threads := o.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	if err := s.SetIntraOpNumThreads(threads); err != nil {
		return err
	}
	if err := s.SetGraphOptimizationLevel(onnxruntime.GraphOptimizationLevelEnableAll); err != nil {
		return err
	}
	return open(s)
}

// interfaceOf names the inputs and outputs of an ONNX file.
func interfaceOf(path string) (inputs, outputs []string, _ error) {
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
	names := func(values []onnxruntime.InputOutputInfo) []string {
		var s []string
		for _, v := range values {
			if v.DataType != onnxruntime.TensorElementDataTypeFloat {
				err = fmt.Errorf("%s is %s of %s, want arrays of float32", v.Name, v.OrtValueType, v.DataType)
			}
			s = append(s, v.Name)
		}
		return s
	}
	inputs, outputs = names(in), names(out)
	return inputs, outputs, err
}
