package ort

import (
	"fmt"
	"runtime"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"github.com/pptsn/pptsn/tensor"
)

// A call is the arrays of one run. ONNX Runtime reads and writes the memory of
// the Go arrays, which is pinned for as long.
type call struct {
	inputs, outputs []onnxruntime.Value // an output is nil until the run makes it if its shape is not known before
	results         []*tensor.Dense
	pins            runtime.Pinner
}

// newCall returns what there is of a call even with an error, to be destroyed.
func (e *Engine) newCall(inputs []*tensor.Dense) (*call, error) {
	c := &call{outputs: make([]onnxruntime.Value, e.outputs), results: make([]*tensor.Dense, e.outputs)}
	if len(inputs) != e.inputs {
		return c, fmt.Errorf("%d inputs given, want %d", len(inputs), e.inputs)
	}
	shapes := make([][]int, len(inputs))
	for i, t := range inputs {
		if t.Type != tensor.Float32 {
			return c, fmt.Errorf("input %d is %s, want float32", i, t.Type)
		}
		if t.Len() == 0 {
			return c, fmt.Errorf("input %d is empty: %s", i, t)
		}
		v, err := c.value(t)
		if err != nil {
			return c, fmt.Errorf("input %d: %w", i, err)
		}
		c.inputs, shapes[i] = append(c.inputs, v), t.Shape
	}
	if e.graph == nil {
		return c, nil
	}
	bound, err := e.graph.Bind(shapes...)
	if err != nil {
		return c, err
	}
	for i, v := range bound.Outputs {
		c.results[i] = tensor.New(tensor.Float32, v.Shape...)
		value, err := c.value(c.results[i])
		if err != nil {
			return c, fmt.Errorf("output %s: %w", v, err)
		}
		c.outputs[i] = value
	}
	return c, nil
}

// value is an array as ONNX Runtime sees it; of a scalar, which onnxruntime_go
// keeps apart, a copy.
func (c *call) value(t *tensor.Dense) (v onnxruntime.Value, err error) {
	data := t.Float32s()
	if len(t.Shape) == 0 {
		return onnxruntime.NewScalar(data[0])
	}
	c.pins.Pin(&data[0])
	shape := make(onnxruntime.Shape, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = int64(d)
	}
	return onnxruntime.NewTensor(shape, data)
}

// collect takes the results that the run has not written in place: scalars,
// and all of a network whose shapes were not known.
func (c *call) collect() error {
	for i, v := range c.outputs {
		switch v := v.(type) {
		case *onnxruntime.Scalar[float32]:
			c.results[i].Float32s()[0] = v.GetData()
		case *onnxruntime.Tensor[float32]:
			if c.results[i] == nil {
				c.results[i] = tensor.FromFloat32(v.GetData(), dims(v.GetShape())...)
			}
		default:
			return fmt.Errorf("output %d is not an array of float32", i)
		}
	}
	return nil
}

func dims(s onnxruntime.Shape) []int {
	d := make([]int, len(s))
	for i := range s {
		d[i] = int(s[i])
	}
	return d
}

func (c *call) destroy() {
	for _, values := range [][]onnxruntime.Value{c.inputs, c.outputs} {
		for _, v := range values {
			if exists(v) {
				v.Destroy()
			}
		}
	}
	c.pins.Unpin()
}

// exists is false also for what onnxruntime_go leaves where it could not make an
// array: a value that holds a nil pointer.
func exists(v onnxruntime.Value) bool {
	t, ok := v.(*onnxruntime.Tensor[float32])
	return v != nil && !(ok && t == nil)
}
