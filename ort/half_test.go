package ort_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/graph/graphtest"
	"github.com/pptsn/pptsn/onnx"
	"github.com/pptsn/pptsn/ort"
	"github.com/pptsn/pptsn/tensor"
)

// What the CUDA provider is given for fp16. On the CPU ONNX Runtime converts
// around each operation, so that the file's meaning can be tested: results are
// right to some roundings to 11 bits.
func TestHalves(t *testing.T) {
	needLibrary(t)
	g, w := block()
	x := g.Inputs[0]
	g.Outputs = slices.DeleteFunc(g.Outputs, func(v *graph.Value) bool { return len(v.Shape) == 0 }) // of a file not read
	scaled := g.Must("scaled", graph.Affine{Scale: 0.5, Shift: 1}, x)
	clipped := g.Must("clipped", graph.Activate{Act: graph.Activation{Func: graph.ReLU6}}, scaled)
	g.Output(g.Must("shifted", graph.TemporalShift{Segments: 2, Ratio: 0.4}, clipped))
	path := filepath.Join(t.TempDir(), "half.onnx")
	var file bytes.Buffer
	if err := onnx.Write(&file, g, w, onnx.Options{Float16: true}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := ort.Open(path, ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	in := random(3, 4, 3, 9, 7)
	want, err := graph.Eval(g, w, in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if err := graphtest.Compare(got[i], want[i], 4./2048); err != nil {
			t.Errorf("output %s: %v", g.Outputs[i].Name, err)
		}
		if got[i].Type != tensor.Float32 {
			t.Errorf("output %s is %s", g.Outputs[i].Name, got[i].Type)
		}
	}
}
