package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/bundle"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/onnx"
)

// What an ONNX file is for. Only quantised networks differ.
const (
	forONNXRuntime = "onnxruntime"
	forTensorRT    = "tensorrt"
)

// An onnxModel is what becomes an ONNX file.
type onnxModel struct {
	graph         *graph.Graph
	weights       graph.Weights
	scales        graph.Scales // nil if it is not quantised
	name          string
	manifest      *bundle.Manifest // nil if nothing is known but the network
	probabilities bool             // the network ends with softmax
}

// prepare optimises the network and writes its roundings down as the reader
// wants them.
func (m onnxModel) prepare(reader string) (*graph.Graph, graph.Weights, error) {
	g, w, err := graph.Optimize(m.graph, m.weights)
	if err != nil || len(m.scales) == 0 {
		return g, w, err
	}
	if reader == forTensorRT {
		g, err = graph.Quantize(g, w, m.scales.AllSigned(), graph.QuantizeOptions{FloatBias: true})
		return g, w, err
	}
	g, err = graph.Quantize(g, w, m.scales, graph.QuantizeOptions{})
	if err != nil {
		return nil, nil, err
	}
	return onnx.SplitSums(g), w, nil
}

// metadata are what ONNX Runtime hands to a program that asks for them.
func (m onnxModel) metadata() (map[string]string, error) {
	pairs := map[string]string{"model_name": m.name, "scores": "logits"}
	if m.probabilities {
		pairs["scores"] = "probabilities"
	}
	if m.manifest == nil {
		return pairs, nil
	}
	preprocess, err := json.Marshal(m.manifest.Preprocess)
	if err != nil {
		return nil, err
	}
	pairs["preprocess"] = string(preprocess)
	if len(m.manifest.Labels) == 0 {
		return pairs, nil
	}
	labels, err := json.Marshal(m.manifest.Labels)
	pairs["labels"] = string(labels)
	return pairs, err
}

// write writes the file, which has its name once it is checked, and says on stdout
// what is there.
func (e onnxExport) write(m onnxModel, path string) error {
	g, w, err := m.prepare(e.reader)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	pairs, err := m.metadata()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := atomicfile.Prepare(path, func(to io.Writer) error { return onnx.Write(to, g, w, onnx.Options{Metadata: pairs}) })
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer file.Discard()
	checked, err := e.check(file.Name(), g, w)
	if err != nil {
		return fmt.Errorf("%s: not written, since the file would not compute what the model does: %w", path, err)
	}
	if err := file.Commit(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintln(e.cmd.OutOrStdout(), path)
	_, err = fmt.Fprintln(e.cmd.OutOrStdout(), checked)
	return err
}
