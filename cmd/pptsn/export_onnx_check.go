package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onednn"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
)

// An onnxExport is how ONNX files are written.
type onnxExport struct {
	cmd    *cobra.Command
	reader string // forONNXRuntime or forTensorRT
}

const (
	// checkedPixels is how many pixels a check runs at once, 32 views of the
	// usual size: ONNX Runtime holds the results of a layer for all of them.
	checkedPixels = 32 * 224 * 224
	// floatDifference of scores is a thousand roundings of float32; in 8 bits
	// rounding a sum otherwise moves a score by more.
	floatDifference, int8Difference = 1e-4, 0.05
)

// check runs the file with ONNX Runtime on noise, and compares the scores with
// oneDNN's of the same graph. It says in a sentence what was found; without the
// library, and for clips of too many views, that not all was checked.
func (e onnxExport) check(path string, g *graph.Graph, w graph.Weights) (string, error) {
	if _, err := ort.Load(""); errors.As(err, new(*ort.NotFoundError)) {
		return "not checked with ONNX Runtime: " + err.Error(), nil
	} else if err != nil {
		return "", err
	}
	file, err := ort.Open(path, ort.Options{})
	if err != nil {
		return "", err
	}
	defer file.Close()
	shape, ok := probeShape(g.Inputs[0].Shape)
	if !ok {
		return fmt.Sprintf("ONNX Runtime reads it; not run, because a clip of %s is too large for a check", tensor.ShapeString(g.Inputs[0].Shape)), nil
	}
	diff, err := compareONNX(e.cmd.Context(), file, g, w, noise(shape))
	return fmt.Sprintf("largest difference between ONNX Runtime's scores and the model's: %.3g", diff), err
}

// probeShape is one clip or picture; ok is false if it is too large for a check
// or of unknown size.
func probeShape(input []int) (shape []int, ok bool) {
	shape = append([]int{1}, input[1:]...)
	for _, d := range shape {
		if d == graph.Unknown {
			return nil, false
		}
	}
	return shape, tensor.Count(shape) <= 3*checkedPixels
}

// compareONNX returns the largest difference between two scores; one that
// rounding does not explain is an error.
func compareONNX(ctx context.Context, file *ort.Engine, g *graph.Graph, w graph.Weights, in *tensor.Dense) (float64, error) {
	got, err := file.Run(ctx, in)
	if err != nil {
		return 0, err
	}
	e, err := onednn.Compile(g, w, onednn.Options{})
	if err != nil {
		return 0, err
	}
	defer e.Close()
	want, err := e.Run(ctx, in)
	if err != nil {
		return 0, err
	}
	diff, size := 0.0, 1.0
	for i, v := range want[0].Float32s() {
		diff = max(diff, math.Abs(float64(got[0].Float32s()[i]-v)))
		size = max(size, math.Abs(float64(v)))
	}
	allowed := floatDifference
	if quantised(g) {
		allowed = int8Difference
	}
	if math.IsNaN(diff) || diff > allowed*size {
		return diff, fmt.Errorf("scores of up to %.3g differ by %.3g", size, diff)
	}
	return diff, nil
}

func quantised(g *graph.Graph) bool {
	for _, n := range g.Nodes {
		if _, ok := n.Op.(graph.FakeQuant); ok {
			return true
		}
	}
	return false
}

// noise is of the size of normalised pixels, always the same.
func noise(shape []int) *tensor.Dense {
	x, rng := tensor.New(tensor.Float32, shape...), rand.New(rand.NewPCG(1, 1))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(rng.NormFloat64())
	}
	return x
}
