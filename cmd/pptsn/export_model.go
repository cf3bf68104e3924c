package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/bundle"
)

// validate reports flags that contradict each other.
func (o exportOptions) validate(cmd *cobra.Command) error {
	set := func(name string) bool { return cmd.Flags().Changed(name) }
	switch {
	case o.onnxFor != forONNXRuntime && o.onnxFor != forTensorRT:
		return usagef("--onnx_for %q: want %s or %s", o.onnxFor, forONNXRuntime, forTensorRT)
	case set("onnx_for") && !o.onnx:
		return usagef("--onnx_for %s says what the ONNX file is for: add --onnx", o.onnxFor)
	case o.model == "" && (o.config == "" || o.weights == ""):
		return usagef("export needs -c CONFIG and -p WEIGHTS.pdparams, or -m MODEL and --onnx (see pptsn export --help)")
	case o.model == "":
		return nil
	case o.config != "" || o.weights != "":
		return usagef("-m names a model that is exported already, -c and -p a checkpoint: give one or the other")
	case !o.onnx:
		return usagef("-m %s is exported already: add --onnx to write it as ONNX too", o.model)
	}
	for _, name := range []string{"override", "preprocess", "labels"} {
		if set(name) {
			return usagef("--%s is for a checkpoint: the model of -m carries what it was exported with", name)
		}
	}
	return nil
}

// exportModel writes an exported model, quantised or not, as ONNX: into the
// folder named, else beside its other files.
func exportModel(cmd *cobra.Command, o exportOptions) error {
	b, err := bundle.Open(o.model)
	if err != nil {
		return err
	}
	dir, file := filepath.Split(b.Path)
	name := strings.TrimSuffix(file, ".pdmodel")
	if cmd.Flags().Changed("output_path") {
		dir = o.output
	}
	if o.name != "" {
		name = o.name
	}
	m := onnxModel{graph: b.Graph, weights: b.Weights, scales: b.Scales(), name: name,
		manifest: b.Manifest, probabilities: b.EndsWithSoftmax()}
	if o.onnxFor == forTensorRT && len(m.scales) == 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s is not quantised: TensorRT reads the same file as ONNX Runtime\n", o.model)
	}
	return onnxExport{cmd, o.onnxFor}.write(m, filepath.Join(dir, name+".onnx"))
}
